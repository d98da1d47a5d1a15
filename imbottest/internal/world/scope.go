package world

import (
	"slices"
	"strings"
)

// Scopes are those of the portal's webhooks and applications; the lock is held.
func (w *World) Scopes() []string {
	if w.Granted == nil {
		return []string{"im", "imbot", "imopenlines"}
	}
	return slices.Clone(w.Granted)
}

// ScopeList is scopes as tokens and events name them; the lock is held.
func (w *World) ScopeList() string { return strings.Join(w.Scopes(), ",") }

// MethodNames are the methods of this portal that need a scope; "" stands for none.
func MethodNames(scope string) []string {
	switch scope {
	case "":
		return []string{
			"batch", "scope", "methods", "method.get", "server.time", "app.info", "feature.get", "profile",
			"app.option.get", "app.option.set", "user.option.get", "user.option.set", "user.admin", "user.access", "access.name",
			"events", "event.bind", "event.unbind", "event.get", "event.test",
		}
	case "imbot":
		return []string{
			"imbot.register", "imbot.unregister", "imbot.update", "imbot.bot.list",
			"imbot.chat.add", "imbot.chat.get", "imbot.dialog.get", "imbot.dialog.vote", "imbot.chat.setOwner", "imbot.chat.setManager",
			"imbot.chat.updateColor", "imbot.chat.updateTitle", "imbot.chat.updateAvatar", "imbot.chat.user.add",
			"imbot.chat.user.delete", "imbot.chat.leave", "imbot.chat.user.list", "imbot.chat.sendTyping",
			"imbot.chat.updateTextFieldEnabled", "imbot.message.add", "imbot.message.delete", "imbot.message.update",
			"imbot.message.like", "imbot.sendTyping", "imbot.command.register", "imbot.command.unregister", "imbot.command.update",
			"imbot.command.answer", "imbot.app.register", "imbot.app.unregister", "imbot.app.update",
			"imbot.support24.question.config.get", "imbot.support24.question.add", "imbot.support24.question.list",
			"imbot.support24.question.search", "imbot.network.question.add", "imbot.network.question.list",
			"imbot.network.question.search",
			"imbot.v2.Bot.register", "imbot.v2.Bot.update", "imbot.v2.Bot.get", "imbot.v2.Bot.list", "imbot.v2.Bot.unregister",
			"imbot.v2.Chat.add", "imbot.v2.Chat.update", "imbot.v2.Chat.leave", "imbot.v2.Chat.setOwner", "imbot.v2.Chat.User.add",
			"imbot.v2.Chat.User.delete", "imbot.v2.Chat.User.list", "imbot.v2.Chat.Manager.add", "imbot.v2.Chat.Manager.delete",
			"imbot.v2.Chat.Message.get", "imbot.v2.Chat.Message.getContext", "imbot.v2.Chat.Message.Reaction.add",
			"imbot.v2.Chat.Message.Reaction.delete", "imbot.v2.Chat.TextField.enabled", "imbot.v2.File.upload", "imbot.v2.File.download",
			"imbot.v2.Chat.get", "imbot.v2.Chat.InputAction.notify", "imbot.v2.Chat.Message.send", "imbot.v2.Chat.Message.update",
			"imbot.v2.Chat.Message.delete", "imbot.v2.Chat.Message.read", "imbot.v2.Command.register", "imbot.v2.Command.update",
			"imbot.v2.Command.list", "imbot.v2.Command.unregister", "imbot.v2.Command.answer", "imbot.v2.Event.get", "imbot.v2.Revision.get",
		}
	case "im":
		return []string{
			"im.v2.Event.subscribe", "im.v2.Event.unsubscribe", "im.v2.Event.get", "im.v2.File.upload", "im.v2.File.download",
			"im.v2.Chat.Bot.sendContext",
		}
	case "imopenlines":
		return []string{
			"imopenlines.bot.session.operator", "imopenlines.bot.session.message.send",
			"imopenlines.bot.session.transfer", "imopenlines.bot.session.finish",
			"imopenlines.dialog.get", "imopenlines.session.history.get",
			"imopenlines.config.list.get", "imopenlines.config.get", "imopenlines.config.update",
		}
	case "user":
		return []string{"user.current"}
	}
	return nil
}

// foreignMethods are the methods of other scopes, by what the documented names have in
// front of their last part. This portal has none of them, and refuses them as a portal
// does whose webhook or token lacks their scope.
const foreignMethods = `
bizproc: bizproc.activity bizproc.activity.log bizproc.event bizproc.provider bizproc.robot bizproc.task
bizproc: bizproc.workflow bizproc.workflow.instance bizproc.workflow.template
booking: booking.v1.booking booking.v1.clienttype booking.v1.resource booking.v1.resourceType booking.v1.waitlist
calendar: calendar.accessibility calendar.event calendar.meeting.status calendar.meeting.params calendar.resource
calendar: calendar.resource.booking calendar.section calendar.settings calendar.user.settings
call: voximplant.infocall
cashbox: sale.cashbox sale.cashbox.handler sale.cashbox.check
catalog: catalog.catalog catalog.document catalog.document.element catalog.extra catalog.measure catalog.price
catalog: catalog.priceType catalog.product catalog.product.offer catalog.product.service catalog.product.sku
catalog: catalog.productImage catalog.productProperty catalog.ratio catalog.roundingRule catalog.section catalog.store
catalog: catalog.storeproduct catalog.vat
crm: crm.activity crm.activity.badge crm.activity.binding crm.activity.communication crm.activity.configurable
crm: crm.activity.todo crm.activity.type crm.address crm.automatedsolution crm.automation.trigger crm.calllist
crm: crm.category crm.company crm.company.contact crm.company.details.configuration crm.company.userfield crm.contact
crm: crm.contact.company crm.contact.details.configuration crm.contact.userfield crm.currency crm.currency.base
crm: crm.currency.localizations crm.deal crm.deal.contact crm.deal.details.configuration crm.deal.productrows
crm: crm.deal.recurring crm.deal.userfield crm.dealcategory crm.dealcategory.default crm.dealcategory.stage
crm: crm.duplicate crm.entity crm.enum crm.externalchannel crm.invoice crm.item crm.item.delivery crm.item.payment
crm: crm.item.productrow crm.item.details.configuration crm.lead crm.lead.contact crm.lead.details.configuration
crm: crm.lead.productrows crm.lead.userfield crm.livefeedmessage crm.measure crm.multifield crm.orderentity
crm: crm.product crm.product.property crm.productrow crm.productsection crm.quote crm.quote.productrows
crm: crm.quote.userfield crm.requisite crm.requisite.bankdetail crm.requisite.link crm.requisite.preset
crm: crm.requisite.preset.field crm.requisite.userfield crm.settings.mode crm.stagehistory crm.status
crm: crm.status.entity crm.timeline.bindings crm.timeline.comment crm.timeline.item crm.timeline.layout.blocks
crm: crm.timeline.logmessage crm.timeline.note crm.tracking.trace crm.type crm.userfield crm.vat crm.webform
crm.documentgenerator: crm.documentgenerator.document crm.documentgenerator.numerator crm.documentgenerator.template
delivery: sale.delivery sale.delivery.handler sale.delivery.config sale.delivery.request
department: department
disk: disk.attachedObject disk.file disk.folder disk.rights disk.storage disk.version
documentgenerator: documentgenerator.document documentgenerator.numerator documentgenerator.region
documentgenerator: documentgenerator.role documentgenerator.template
entity: entity entity.item entity.item.property entity.section
im: im.chat im.chat.user im.counters im.department im.department.colleagues im.department.employees
im: im.department.managers im.dialog im.dialog.messages im.dialog.users im.disk.file im.disk.folder im.disk.record
im: im.message im.notify im.notify.history im.notify.personal im.notify.system im.recent im.revision im.search.chat
im: im.search.department im.search.last im.search.user im.user im.user.business im.user.list im.user.status
im: im.user.status.idle
imconnector: imconnector imconnector.chat.name imconnector.connector.data imconnector.send imconnector.update
imconnector: imconnector.delete
landing: landing.block landing.demos landing.landing landing.repo landing.role landing.site landing.syspage
landing: landing.template
lists: lists lists.element lists.element.get.file lists.field lists.field.type lists.section
log: log.blogcomment log.blogcomment.user log.blogpost log.blogpost.getusers log.blogpost.user
mailservice: mailservice
messageservice: messageservice.message.status messageservice.sender
pay_system: sale.paysystem sale.paysystem.handler sale.paysystem.pay sale.paysystem.settings
pay_system: sale.paysystem.settings.invoice sale.paysystem.settings.payment
placement: placement
pull: pull.application.config pull.application.event pull.application.push pull.config
rpa: rpa.comment rpa.fields.settings rpa.item rpa.stage rpa.task rpa.timeline rpa.type
sale: sale.basketItem sale.basketProperties sale.businessValuePersonDomain sale.order sale.payment
sale: sale.paymentItemBasket sale.paymentItemShipment sale.personType sale.property sale.propertyGroup
sale: sale.propertyRelation sale.propertyVariant sale.propertyvalue sale.shipment sale.shipmentItem
sale: sale.shipmentProperty sale.shipmentPropertyValue sale.status sale.statusLang sale.tradeBinding
sale: sale.tradePlatform
sonet_group: socialnetwork.api.workgroup sonet_group sonet_group.feature sonet_group.user
task: task.checklistitem task.commentitem task.elapseditem task.item.userfield task.planner task.stages
task: tasks.api.scrum.backlog tasks.api.scrum.epic tasks.api.scrum.kanban tasks.api.scrum.sprint tasks.api.scrum.task
task: tasks.flow.Flow tasks.task tasks.task.counters tasks.task.favorite tasks.task.files tasks.task.history
task: tasks.task.result
telephony: telephony.call telephony.externalCall telephony.externalLine voximplant.callback voximplant.line
telephony: voximplant.line.outgoing voximplant.line.outgoing.sip voximplant.sip voximplant.sip.connector
telephony: voximplant.statistic voximplant.tts.voices voximplant.url voximplant.user
timeman: timeman timeman.networkrange timeman.schedule timeman.timecontrol.report timeman.timecontrol.reports
timeman: timeman.timecontrol.reports.settings timeman.timecontrol.reports.users timeman.timecontrol.settings
user: user user.counters user.history user.history.fields
user.userfield: user.userfield user.userfield.file
userconsent: userconsent.agreement userconsent.consent
userfieldconfig: userfieldconfig
`

// ScopeOf is the scope of a method, whose name is in lower case; "" when it needs none or
// is unknown.
func (w *World) ScopeOf(name string) string {
	for _, scope := range []string{"im", "imbot", "imopenlines"} {
		if strings.HasPrefix(name, scope+".") && w.Lookup(name) != nil {
			return scope
		}
	}
	if slices.Contains(MethodNames(""), name) {
		return ""
	}
	end := strings.LastIndexByte(name, '.')
	if end < 0 {
		return ""
	}
	for line := range strings.Lines(strings.ToLower(foreignMethods)) {
		scope, families, _ := strings.Cut(line, ":")
		if slices.Contains(strings.Fields(families), name[:end]) {
			return scope
		}
	}
	return ""
}

// AllScopes are those of which this portal knows methods.
func AllScopes() []string {
	scopes := []string{"imbot", "imopenlines"}
	for line := range strings.Lines(foreignMethods) {
		if scope, _, ok := strings.Cut(line, ":"); ok {
			scopes = append(scopes, scope)
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// InScope reports whether a method may be called, whose name is in lower case; the lock is
// held.
func (w *World) InScope(method string) bool {
	scope := w.ScopeOf(method)
	return scope == "" || slices.Contains(w.Scopes(), scope)
}
