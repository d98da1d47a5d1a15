package imbottest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// user is a person or a bot.
type user struct {
	id       imbot.ID
	first    string
	last     string
	gender   string
	position string
	isBot    bool

	isConnector bool // a guest of an open line
	color       imbot.Color
	picture     []byte
	extranet    bool
	denied      bool // may not change chats, see Deny
	dismissed   bool
}

func (u *user) name() string { return strings.TrimSpace(u.first + " " + u.last) }

func (u *user) setProfile(properties *array) {
	if gender := properties.text("PERSONAL_GENDER"); gender == "M" || gender == "F" {
		u.gender = gender
	}
	if position := properties.text("WORK_POSITION"); position != "" {
		u.position = position
	}
	if color := properties.text("COLOR"); color != "" {
		u.color = imbot.Color(color)
	}
}

// AddUser adds a person. The ids of people and bots begin at 101; only the administrator
// is 1.
func (p *Portal) AddUser(firstName, lastName string) imbot.ID {
	p.Lock()
	defer p.Unlock()
	return p.addUser(firstName, lastName).id
}

func (p *world) addUser(first, last string) *user {
	p.lastUser++
	u := &user{id: p.lastUser, first: first, last: last, gender: "M"}
	p.users[u.id] = u
	p.noteUser(u.id)
	return u
}

// AddChat makes a group chat like people do; the first member owns it. Bots
// among the members get ONIMBOTJOINCHAT or ONIMBOTV2JOINCHAT. Without members it belongs to the
// administrator. Ids that the portal does not know are left out.
func (p *Portal) AddChat(title string, members ...imbot.ID) imbot.ID {
	p.Lock()
	defer p.Unlock()
	members = p.onlyExisting(members)
	if len(members) == 0 {
		members = []imbot.ID{admin}
	}
	chat := p.addChat(kindChat, title, members[0])
	p.join(chat, members[0], true, members[1:]...)
	return chat.id
}

// Name returns the name of a person or bot, "" when there is none: 0, the author
// of system messages, has none.
func (p *Portal) Name(id imbot.ID) string {
	p.Lock()
	defer p.Unlock()
	if u := p.users[id]; u != nil {
		return u.name()
	}
	return ""
}

// Say writes a message as a person does. The dialog is named as that person sees
// it: [imbot.UserDialog] of a bot, [imbot.ChatDialog] of a chat. A bot gets its
// event when the dialog is private, when the text mentions it as
// [USER=id]name[/USER], or when it is a supervisor: ONIMBOTMESSAGEADD, or in its second
// generation ONIMBOTV2MESSAGEADD. The first message of a private dialog opens it, see
// [Portal.Open]. Say does not wait for the event.
func (p *Portal) Say(ctx context.Context, user imbot.ID, dialog imbot.DialogID, text string) (Message, error) {
	if err := ctx.Err(); err != nil {
		return Message{}, err
	}
	p.Lock()
	defer p.Unlock()
	if err := p.checkPerson(user); err != nil {
		return Message{}, err
	}
	text = trimmedText(text)
	if text == "" {
		return Message{}, fmt.Errorf("imbottest: an empty message cannot be sent")
	}
	chat, err := p.chatToWriteIn(user, dialog)
	if err != nil {
		return Message{}, err
	}
	return p.say(chat, user, text).public(), nil
}

// say stores what a person writes and tells bots about the commands in it, or when there
// are none about the message.
func (p *world) say(chat *chat, user imbot.ID, text string) *message {
	if chat.over && p.users[user].isConnector {
		p.beginSession(chat, user)
	}
	before := chat.lastMessageID()
	m := p.store(chat, user, text, false)
	if invoked := p.invoked(chat, user, m.Text); len(invoked) > 0 {
		p.fireTypedCommands(chat, m, before, invoked)
	} else {
		p.fireMessageAdd(chat, m, before)
	}
	if chat.kind == kindLines && m.Text == "0" { // so a guest asks for a person
		p.takeFromBots(chat)
	}
	return m
}

// Ask does what [Portal.Say] does, then waits for the next message of anybody else in
// that dialog and returns it. It waits until ctx ends, or for one minute when ctx has no
// deadline. A bot's greeting in a new dialog would be such a message; to avoid that,
// [Portal.Open] the dialog before. The error includes that of [Portal.Err], which often
// says why no answer came.
func (p *Portal) Ask(ctx context.Context, user imbot.ID, dialog imbot.DialogID, text string) (Message, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Minute)
		defer cancel()
	}
	asked, err := p.Say(ctx, user, dialog, text)
	if err != nil {
		return Message{}, err
	}
	var answer Message
	err = p.await(ctx, func() bool {
		messages := p.chats[asked.ChatID].messages
		from, _ := slices.BinarySearchFunc(messages, asked.ID+1, func(m *message, id imbot.ID) int { return cmp.Compare(m.ID, id) })
		for _, m := range messages[from:] {
			if m.AuthorID != user {
				answer = m.public()
				return true
			}
		}
		return false
	})
	if err != nil {
		err = fmt.Errorf("imbottest: no answer in %s: %w", dialog, err)
		return Message{}, errors.Join(err, p.Err())
	}
	return answer, nil
}

// Open opens the private dialog of a person with a bot. The first time the bot
// gets ONIMBOTJOINCHAT or ONIMBOTV2JOINCHAT.
func (p *Portal) Open(ctx context.Context, user, bot imbot.ID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.Lock()
	defer p.Unlock()
	if err := p.checkPerson(user); err != nil {
		return err
	}
	_, err := p.chatToWriteIn(user, imbot.UserDialog(bot))
	return err
}

// Edit changes the text of a message that the person wrote, within three days. A bot
// gets ONIMBOTMESSAGEUPDATE when it has a handler for that, or ONIMBOTV2MESSAGEUPDATE, and
// would get the new text if it were a new message. Commands in the text are not executed.
func (p *Portal) Edit(ctx context.Context, user imbot.ID, msg Message, text string) error {
	m, unlock, err := p.lockMessage(ctx, user, msg.ID)
	if err != nil {
		return err
	}
	defer unlock()
	text = trimmedText(text)
	switch {
	case p.ownMessage(user, m.ID) == nil:
		return fmt.Errorf("imbottest: user %d may not change message %d", user, m.ID)
	case p.changeable(user, m.ID) == nil:
		return fmt.Errorf("imbottest: message %d is too old to be changed: %s", m.ID, time.Since(m.Time))
	case text == "":
		return fmt.Errorf("imbottest: a message cannot become empty: use Delete")
	}
	m.Text, m.Edited = p.storedText(text), true
	p.fireMessageUpdate(p.chats[m.ChatID], m)
	p.noteMessage(m)
	return nil
}

// Delete deletes a message that the person wrote; a notice takes its place. A bot gets
// ONIMBOTMESSAGEDELETE when it has a handler for that, or ONIMBOTV2MESSAGEDELETE, and would
// get the text if it were a new message.
func (p *Portal) Delete(ctx context.Context, user imbot.ID, msg Message) error {
	m, unlock, err := p.lockMessage(ctx, user, msg.ID)
	if err != nil {
		return err
	}
	defer unlock()
	if p.ownMessage(user, m.ID) == nil {
		return fmt.Errorf("imbottest: user %d may not delete message %d", user, m.ID)
	}
	heard := mentions(m.Text)
	p.deleteMessage(m, false)
	p.fireMessageDelete(p.chats[m.ChatID], m, heard)
	p.notify()
	return nil
}

// Like sets the person's like on a message, or takes it away when there is one. No bot
// gets an event.
func (p *Portal) Like(ctx context.Context, user imbot.ID, msg Message) error {
	m, unlock, err := p.lockMessage(ctx, user, msg.ID)
	if err != nil {
		return err
	}
	defer unlock()
	if m.Deleted {
		return fmt.Errorf("imbottest: message %d is deleted", m.ID)
	}
	m.like(user)
	p.noteMessage(m)
	return nil
}

// Invite adds people and bots to a group chat, as a member of it does. A bot
// gets ONIMBOTJOINCHAT or ONIMBOTV2JOINCHAT.
func (p *Portal) Invite(ctx context.Context, by, chat imbot.ID, users ...imbot.ID) error {
	c, unlock, err := p.lockGroup(ctx, by, chat, users)
	if err != nil {
		return err
	}
	defer unlock()
	if c.forbids("extend") {
		return fmt.Errorf("imbottest: nobody may be added to chat%d", chat)
	}
	p.join(c, by, true, users...)
	p.notify()
	return nil
}

// Kick removes people and bots from a group chat, as its owner or a manager
// does; anybody may remove himself. No bot gets an event.
func (p *Portal) Kick(ctx context.Context, by, chat imbot.ID, users ...imbot.ID) error {
	c, unlock, err := p.lockGroup(ctx, by, chat, users)
	if err != nil {
		return err
	}
	defer unlock()
	if c.forbids("leave") {
		return fmt.Errorf("imbottest: nobody may leave chat%d", chat)
	}
	for _, id := range users {
		if c.member(id) == nil {
			return fmt.Errorf("imbottest: user %d is not a member of chat%d", id, chat)
		}
		if fail := c.checkRemove(by, id); fail != nil {
			return fmt.Errorf("imbottest: user %d may not remove user %d from chat%d", by, id, chat)
		}
	}
	for _, id := range users {
		p.leave(c, id)
	}
	p.notify()
	return nil
}

// lockGroup makes the checks that Invite and Kick have in common. Without an error it
// returns with the lock held, and the function that unlocks.
func (p *Portal) lockGroup(ctx context.Context, by, id imbot.ID, users []imbot.ID) (*chat, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	p.Lock()
	c, err := p.group(id), p.checkPerson(by)
	switch {
	case err != nil:
	case c == nil || c.member(by) == nil:
		err = fmt.Errorf("imbottest: user %d is not a member of chat%d", by, id)
	case len(p.onlyExisting(users)) != len(users):
		err = fmt.Errorf("imbottest: not all of the users %v exist", users)
	}
	if err != nil {
		p.Unlock()
		return nil, nil, err
	}
	return c, p.Unlock, nil
}

// checkPerson checks that id is a person, no bot, and that the portal is not closed.
func (p *world) checkPerson(id imbot.ID) error {
	switch u := p.users[id]; {
	case p.closed:
		return errClosed
	case u == nil:
		return fmt.Errorf("imbottest: there is no user %d", id)
	case u.isBot:
		return fmt.Errorf("imbottest: user %d is a bot; bots write with imbot.message.add", id)
	}
	return nil
}

// chatToWriteIn returns the chat of a dialog when the person may write there. It opens
// private dialogs and joins open chats.
func (p *world) chatToWriteIn(user imbot.ID, dialog imbot.DialogID) (*chat, error) {
	if other, ok := dialog.UserID(); ok {
		chat, fail := p.openPrivate(user, other)
		if fail != nil {
			return nil, fmt.Errorf("imbottest: user %d has no dialog with user %d", user, other)
		}
		return chat, nil
	}
	chat := p.find(user, dialog)
	switch {
	case chat == nil:
		return nil, fmt.Errorf("imbottest: there is no dialog %q", string(dialog))
	case chat.forbids("send"), chat.textFieldOff:
		return nil, fmt.Errorf("imbottest: nobody may write in %s", dialog)
	case chat.member(user) != nil:
	case chat.kind == kindOpen: // who writes in an open chat joins it
		p.join(chat, user, true, user)
	default:
		return nil, fmt.Errorf("imbottest: user %d is not a member of %s", user, dialog)
	}
	return chat, nil
}

// lockMessage finds a message that a person sees. Without an error it returns with the
// lock held, and the function that unlocks.
func (p *Portal) lockMessage(ctx context.Context, user, id imbot.ID) (*message, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	p.Lock()
	m, err := p.visibleMessage(user, id)
	if err != nil {
		p.Unlock()
		return nil, nil, err
	}
	return m, p.Unlock, nil
}

// visibleMessage finds a message that a person sees; the lock is held.
func (p *world) visibleMessage(user, id imbot.ID) (*message, error) {
	if err := p.checkPerson(user); err != nil {
		return nil, err
	}
	if m := p.messages[id]; m != nil {
		if member := p.chats[m.ChatID].member(user); member != nil && m.ID > member.since {
			return m, nil
		}
	}
	return nil, fmt.Errorf("imbottest: user %d sees no message %d", user, id)
}

// onlyExisting returns those of the users that exist.
func (p *world) onlyExisting(users []imbot.ID) []imbot.ID {
	var found []imbot.ID
	for _, id := range users {
		if p.exists(id) {
			found = append(found, id)
		}
	}
	return found
}

// exists reports whether id is a person or a bot that was not deleted.
func (p *world) exists(id imbot.ID) bool {
	u := p.users[id]
	return u != nil && (!u.isBot || p.bots[id] != nil)
}
