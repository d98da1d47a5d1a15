package imbot

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// OpenLine is what an event tells about the open line of its chat. Portals write
// it as texts with bars, and older ones write less of it: what is missing is zero.
type OpenLine struct {
	ChatID          ID     // the chat of the portal; see package openlines for what can be done with it
	Connector       string // "livechat", "telegrambot" …
	LineID          ID     // the open line
	ConnectorChatID string // the chat's id at the connector
	GuestID         ID     // the guest, as a user of the portal

	SessionID     ID        // a new one for each conversation in the chat
	SessionStart  time.Time //
	Pinned        Flag      // to its operator, who keeps it when it is over
	WaitsForClose Flag      // the conversation is over and about to be closed

	CRM           Flag   // something in the CRM belongs to the conversation
	CRMEntityType string // "LEAD", "CONTACT", "COMPANY", "DEAL", or "NONE"
	CRMEntityID   ID
	LeadID        ID
	CompanyID     ID
	ContactID     ID
	DealID        ID
}

// parseOpenLine splits the entity id and two data fields of a chat:
//
//	connector|line|chat at the connector|user
//	crm|entity type|entity|pause|wait action|session|start|…
//	LEAD|id|COMPANY|id|CONTACT|id|DEAL|id
func parseOpenLine(id EntityID, data1, data2 string) OpenLine {
	var o OpenLine
	parts := strings.Split(string(id), "|")
	o.Connector = parts[0]
	o.LineID = parseID(at(parts, 1))
	switch n := len(parts); {
	case n > 3: // the connector's id may have bars, too
		o.ConnectorChatID, o.GuestID = strings.Join(parts[2:n-1], "|"), parseID(parts[n-1])
	case n == 3:
		o.ConnectorChatID = parts[2]
	}
	session := strings.Split(data1, "|")
	o.CRM, o.CRMEntityType, o.CRMEntityID = parseFlag(session[0]), at(session, 1), parseID(at(session, 2))
	o.Pinned, o.WaitsForClose = parseFlag(at(session, 3)), parseFlag(at(session, 4))
	o.SessionID = parseID(at(session, 5))
	o.SessionStart = unixTime(parseID(at(session, 6)))
	for pair := range slices.Chunk(strings.Split(data2, "|"), 2) {
		id := parseID(at(pair, 1))
		switch pair[0] {
		case "LEAD":
			o.LeadID = id
		case "COMPANY":
			o.CompanyID = id
		case "CONTACT":
			o.ContactID = id
		case "DEAL":
			o.DealID = id
		}
	}
	return o
}

// chatOf is the chat of an open line by whatever the event names it.
func chatOf(dialog DialogID, ids ...ID) ID {
	byDialog, _ := dialog.ChatID()
	return cmp.Or(cmp.Or(ids...), byDialog)
}

func at(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return ""
}

// isOpenLine reports whether a chat is that of an open line; any of the three fields
// may tell.
func isOpenLine(chatType, messageType, entityType string) bool {
	return chatType == "L" || messageType == "L" || entityType == "LINES"
}

func (p MessageParams) isOpenLine() bool {
	return isOpenLine(p.ChatType, p.MessageType, p.ChatEntityType)
}

func (p MessageParams) openLine() (OpenLine, bool) {
	if !p.isOpenLine() {
		return OpenLine{}, false
	}
	o := parseOpenLine(p.ChatEntityID, p.ChatEntityData1, p.ChatEntityData2)
	o.ChatID = chatOf(p.DialogID, p.ChatID, p.ToChatID)
	return o, true
}

// fromGuest reports whether an author is the guest of the open line: the user of
// the chat's id, or anybody who writes through a connector.
func (p MessageParams) fromGuest(user EventUser) bool {
	o, ok := p.openLine()
	author := p.author(user)
	return ok && p.ComponentID != whisper && (user.IsConnector.Bool() || author != 0 && author == o.GuestID)
}

// OpenLine returns what the event tells about its open line; false for a chat of
// another kind.
func (ev *MessageAddEvent) OpenLine() (OpenLine, bool) { return ev.Params.openLine() }

// FromGuest reports whether the guest of an open line wrote the message, which is never a
// whisper. Who else writes there is an operator, unless [MessageAddEvent.FromBot] is true or there
// is no author.
func (ev *MessageAddEvent) FromGuest() bool { return ev.Params.fromGuest(ev.User) }

// OpenLine returns what the event tells about its open line; false for a chat of
// another kind.
func (ev *MessageUpdateEvent) OpenLine() (OpenLine, bool) { return ev.Params.openLine() }

// FromGuest reports whether the guest of an open line wrote the message.
func (ev *MessageUpdateEvent) FromGuest() bool { return ev.Params.fromGuest(ev.User) }

// OpenLine returns what the event tells about its open line; false for a chat of
// another kind.
func (ev *MessageDeleteEvent) OpenLine() (OpenLine, bool) { return ev.Params.openLine() }

// OpenLine returns what the event tells about its open line; false for a chat of
// another kind. The event of a button tells no session.
func (ev *CommandAddEvent) OpenLine() (OpenLine, bool) { return ev.Params.openLine() }

// FromGuest reports whether the guest of an open line gave the command.
func (ev *CommandAddEvent) FromGuest() bool { return ev.Params.fromGuest(ev.User) }

// OpenLine returns what the event tells about its open line, which is neither the
// session nor the CRM; false for a chat of another kind.
func (ev *JoinChatEvent) OpenLine() (OpenLine, bool) {
	if !ev.IsOpenLine() {
		return OpenLine{}, false
	}
	o := parseOpenLine(ev.Params.ChatEntityID, "", "")
	o.ChatID = chatOf(ev.Params.DialogID, ev.Params.ChatID)
	return o, true
}

// OpenLine returns what the event tells about its open line, which is neither the
// session nor the CRM; false for a chat of another kind.
func (ev *ContextGetEvent) OpenLine() (OpenLine, bool) {
	if !ev.IsOpenLine() {
		return OpenLine{}, false
	}
	o := parseOpenLine(ev.Params.ChatEntityID, "", "")
	o.ChatID = chatOf(ev.Params.DialogID)
	return o, true
}
