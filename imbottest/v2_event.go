package imbottest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"time"

	"github.com/imbot-go/imbot"
)

// The events of the second generation.
const (
	v2MessageAdd    = "ONIMBOTV2MESSAGEADD"
	v2MessageUpdate = "ONIMBOTV2MESSAGEUPDATE"
	v2MessageDelete = "ONIMBOTV2MESSAGEDELETE"
	v2JoinChat      = "ONIMBOTV2JOINCHAT"
	v2CommandAdd    = "ONIMBOTV2COMMANDADD"
	v2ContextGet    = "ONIMBOTV2CONTEXTGET"
	v2BotDelete     = "ONIMBOTV2DELETE"
)

// How bots of the second generation get their events.
const (
	modeFetch   = "fetch"
	modeWebhook = "webhook"
)

const (
	queueTime   = 24 * time.Hour // how long an event stays in a queue
	emptyTime   = time.Minute    // how long the portal remembers that a queue was empty
	usualPage   = 100            // events of one page, unless the call says how many
	longestPage = 1000
)

// A QueuedEvent is an event in the queue of a bot that fetches its events.
type QueuedEvent struct {
	ID   int64
	Name string // "ONIMBOTV2MESSAGEADD"
}

// queued is an event in a queue.
type queued struct {
	id      int64
	name    string
	date    time.Time
	visible time.Time // from when on it is shown; ids are given before
	data    *array
	left    func(reason string) // see hooks.Queued
}

// lateEvents is what [WithLateEvents] says.
type lateEvents struct {
	share  float64
	most   time.Duration
	random *rand.Rand
}

// WithLateEvents lets a share of the fetched events, 0 to 1, become visible up to d later than
// their ids are given, as happens on real portals: then an event with a lower id is seen
// after one with a higher id.
func WithLateEvents(share float64, d time.Duration) Option {
	return func(p *Portal) { p.late = lateEvents{share: share, most: max(d, 0)} }
}

// WithRevision sets the REST revision that imbot.v2.Revision.get tells; the default is 36. The
// portal does nothing else differently.
func WithRevision(n int) Option { return func(p *Portal) { p.revision = n } }

// WithoutV2InBatches lets the portal refuse imbot.v2 methods inside a batch, each command by
// itself. Whether real portals do is not known.
func WithoutV2InBatches() Option { return func(p *Portal) { p.noV2InBatch = true } }

// Queued returns what is in the queue of a bot that fetches its events, by id: what the
// bot has not acknowledged within a day, also what it does not see yet.
func (p *Portal) Queued(bot imbot.ID) []QueuedEvent {
	p.Lock()
	defer p.Unlock()
	b := p.bots[bot]
	if b == nil {
		return nil
	}
	p.dropOld(b, time.Now())
	var list []QueuedEvent
	for _, e := range b.queue {
		list = append(list, QueuedEvent{e.id, e.name})
	}
	return list
}

// dropOld removes the events that are older than a day.
func (p *world) dropOld(b *bot, now time.Time) {
	for len(b.queue) > 0 && now.Sub(b.queue[0].date) > queueTime {
		p.dropFirst(b, "older than a day")
	}
}

// dropFirst removes the first event of a queue: it is acknowledged, or gone for a reason.
func (p *world) dropFirst(b *bot, reason string) {
	b.queue[0].left(reason)
	b.queue = b.queue[1:]
}

// fireV2 tells bots of the second generation about something, each by itself. data makes what
// stands behind the bot.
func (p *world) fireV2(name string, chat *chat, user imbot.ID, bots []*bot, data func(b *bot, to *array)) {
	for _, b := range bots {
		to := newArray()
		switch b.mode {
		case modeFetch:
			to.set("bot", p.botObject(b, true))
			data(b, to)
			p.enqueue(b, name, to)
		case modeWebhook:
			short := newArray()
			short.set("id", number(b.id))
			short.set("code", b.code)
			to.set("bot", short)
			data(b, to)
			p.postV2(b, name, chat, user, to)
		}
	}
}

// enqueue puts an event into the queue of a bot.
func (p *world) enqueue(b *bot, name string, data *array) {
	now := time.Now()
	p.lastEvent++
	e := queued{id: p.lastEvent, name: name, date: now, visible: now, data: data}
	if p.late.share > 0 {
		if p.late.random == nil {
			p.late.random = rand.New(rand.NewPCG(p.seed, 0))
		}
		if p.late.random.Float64() < p.late.share {
			e.visible = now.Add(time.Duration(p.late.random.Int64N(int64(p.late.most) + 1)))
		}
	}
	e.left = p.hooks.Queued(name, data)
	b.queue = append(b.queue, e)
	b.emptyUntil = time.Time{}
	p.notify()
}

// postV2 posts an event to every URL of the application, as the portal does: its bots share
// them.
func (p *world) postV2(b *bot, name string, chat *chat, user imbot.ID, data *array) {
	queue := appQueue(b.app)
	if chat != nil {
		queue = chatQueue(chat)
	}
	for _, to := range b.app.hooks {
		e := &event{}
		e.set()("event", name, "event_handler_id", to.id.String())
		e.setValue(data, "data")
		if b.app.oauth {
			p.setBotAuth(e, b.app, b, "data", "bot", "auth")
		}
		p.hooks.Deliver(name, to, b.app, queue, p.encodeWithOwner(e, b.app, user))
	}
}

// encodeWithOwner is encodeWithAuth with the token by which events of this generation are
// known: of a webhook's bot its owner, in the width of the portal's column.
func (p *world) encodeWithOwner(e *event, app *application, user imbot.ID) string {
	if app.oauth {
		return p.encodeWithAuth(e, app, user, true)
	}
	owner := "custom" + app.clientID
	as := *app
	as.token = owner[:min(len(owner), 50)]
	return p.encodeWithAuth(e, &as, user, false)
}

// hookTo adds the URL of a bot to those of its application.
func (p *world) hookTo(app *application, address string) {
	if slices.ContainsFunc(app.hooks, func(b binding) bool { return b.url == address }) {
		return
	}
	p.lastBind++
	app.hooks = append(app.hooks, binding{id: p.lastBind, url: address, full: address})
}

// unhook removes the URL of a bot unless another one has it.
func (p *world) unhook(b *bot) {
	address := b.webhook
	b.webhook = ""
	for _, other := range p.bots {
		if other != b && other.app == b.app && other.webhook == address {
			return
		}
	}
	b.app.hooks = slices.DeleteFunc(b.app.hooks, func(to binding) bool { return to.url == address })
}

// goodWebhook checks a handler's URL by its form.
func goodWebhook(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
}

// v2Only returns those of the bots that are of the second generation.
func v2Only(bots []*bot) []*bot {
	return slices.DeleteFunc(slices.Clone(bots), func(b *bot) bool { return b.mode == "" })
}

// hearersV2 are the bots of the second generation that get an event for a message.
func (p *world) hearersV2(chat *chat, mentioned []imbot.ID) (bots []*bot) {
	for _, member := range chat.members {
		b := p.bots[member.user]
		if b != nil && b.mode != "" && (b.hearsAll(chat) || slices.Contains(mentioned, b.id)) {
			bots = append(bots, b)
		}
	}
	return bots
}

func (p *world) fireMessageAddV2(chat *chat, m *message) {
	p.fireMessageV2(v2MessageAdd, chat, m, p.hearersV2(chat, mentions(m.Text)))
}

func (p *world) fireMessageUpdateV2(chat *chat, m *message) {
	p.fireMessageV2(v2MessageUpdate, chat, m, p.hearersV2(chat, append(mentions(m.Text), m.AuthorID))) // a bot hears of its own change
}

func (p *world) fireMessageV2(name string, chat *chat, m *message, bots []*bot) {
	p.fireV2(name, chat, m.AuthorID, bots, func(b *bot, to *array) {
		to.set("message", messageObject(m))
		p.setWhereV2(to, chat, b, m.AuthorID)
	})
}

func (p *world) fireMessageDeleteV2(chat *chat, m *message, mentioned []imbot.ID) {
	p.fireV2(v2MessageDelete, chat, m.AuthorID, p.hearersV2(chat, mentioned), func(b *bot, to *array) {
		to.set("messageId", number(m.ID))
		p.setWhereV2(to, chat, b, m.AuthorID)
	})
}

func (p *world) fireJoinV2(chat *chat, b *bot, by imbot.ID) {
	p.fireV2(v2JoinChat, chat, by, v2Only([]*bot{b}), func(b *bot, to *array) {
		to.set("dialogId", string(p.dialogOf(chat, b.id)))
		p.setWhereV2(to, chat, b, by)
	})
}

func (p *world) fireCommandV2(chat *chat, m *message, user imbot.ID, context string, inv invocation) {
	if chat.answers == nil {
		chat.answers = map[imbot.ID]time.Time{}
	}
	chat.answers[inv.command.bot.id] = time.Now().Add(answerTime)
	p.fireV2(v2CommandAdd, chat, user, []*bot{inv.command.bot}, func(b *bot, to *array) {
		call := newArray()
		call.set("id", number(inv.command.id))
		call.set("command", "/"+inv.command.name)
		call.set("params", inv.params)
		call.set("context", map[string]string{"TEXTAREA": "textarea", "KEYBOARD": "keyboard", "MENU": "menu"}[context])
		to.set("command", call)
		to.set("message", messageObject(m))
		p.setWhereV2(to, chat, b, user)
	})
}

func (p *world) fireContextV2(chat *chat, bots []*bot, user imbot.ID, value any) {
	p.fireV2(v2ContextGet, chat, user, v2Only(bots), func(b *bot, to *array) {
		to.set("dialogId", string(p.dialogOf(chat, b.id)))
		to.set("context", value)
		p.setWhereV2(to, chat, b, user)
	})
}

// setWhereV2 writes what events end with: the chat as the bot sees it, and who acted.
func (p *world) setWhereV2(to *array, chat *chat, b *bot, user imbot.ID) {
	to.set("chat", p.chatObject(chat, b.id, false))
	to.set("user", p.userObject(p.users[user], true))
	to.set("language", language)
}

// object is an answer's or event's object, from names and values.
func object(pairs ...any) *array {
	a := newArray()
	for i := 0; i+1 < len(pairs); i += 2 {
		value := pairs[i+1]
		switch v := value.(type) {
		case imbot.ID:
			value = number(v)
		case int:
			value = json.Number(fmt.Sprint(v))
		}
		a.set(pairs[i].(string), value)
	}
	return a
}
