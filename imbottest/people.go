package imbottest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// AddUser adds a person. The ids of people and bots begin at 101; only the administrator
// is 1.
func (p *Portal) AddUser(firstName, lastName string) imbot.ID {
	p.w.Lock()
	defer p.w.Unlock()
	return p.w.AddUser(firstName, lastName).ID
}

// AddChat makes a group chat like people do; the first member owns it. Bots
// among the members get ONIMBOTJOINCHAT or ONIMBOTV2JOINCHAT. Without members it belongs to the
// administrator. Ids that the portal does not know are left out.
func (p *Portal) AddChat(title string, members ...imbot.ID) imbot.ID {
	p.w.Lock()
	defer p.w.Unlock()
	members = p.w.OnlyExisting(members)
	if len(members) == 0 {
		members = []imbot.ID{admin}
	}
	chat := p.w.AddChat(world.KindChat, title, members[0])
	p.w.Join(chat, members[0], true, members[1:]...)
	return chat.ID
}

// Name returns the name of a person or bot, "" when there is none: 0, the author
// of system messages, has none.
func (p *Portal) Name(id imbot.ID) string {
	p.w.Lock()
	defer p.w.Unlock()
	if u := p.w.Users[id]; u != nil {
		return u.Name()
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
	p.w.Lock()
	defer p.w.Unlock()
	chat, text, err := p.toWrite(user, dialog, text)
	if err != nil {
		return Message{}, err
	}
	return public(p.w.Say(chat, user, world.Message{Text: text})), nil
}

// toWrite makes the checks of whoever writes a message. It returns the text as it is stored.
func (p *Portal) toWrite(user imbot.ID, dialog imbot.DialogID, text string) (*world.Chat, string, error) {
	if err := p.w.CheckPerson(user); err != nil {
		return nil, "", err
	}
	if text = world.TrimmedText(text); text == "" {
		return nil, "", fmt.Errorf("imbottest: an empty message cannot be sent")
	}
	chat, err := p.w.ChatToWriteIn(user, dialog)
	return chat, text, err
}

// Ask does what [Portal.Say] does, then waits for the next message of anybody else in
// that dialog and returns it. It waits until ctx ends, or for one minute when ctx has no
// deadline. A bot's greeting in a new dialog would be such a message; to avoid that,
// [Portal.Open] the dialog before, and for a bot that polls let five seconds pass, the pause
// between its polls. The error includes that of [Portal.Err], which often says why no answer came.
func (p *Portal) Ask(ctx context.Context, user imbot.ID, dialog imbot.DialogID, text string) (Message, error) {
	asked, err := p.Say(ctx, user, dialog, text)
	if err != nil {
		return Message{}, err
	}
	return p.WaitAnswer(ctx, user, asked)
}

// WaitAnswer is the second half of [Portal.Ask], for what was sent otherwise, as with
// [Portal.SayFile]: it waits for the next message of anybody else that the user sees behind asked.
func (p *Portal) WaitAnswer(ctx context.Context, user imbot.ID, asked Message) (Message, error) {
	var answer Message
	err := p.await(ctx, func() bool {
		chat := p.w.Chats[asked.ChatID]
		if chat == nil {
			return false
		}
		for _, m := range chat.Messages[world.IndexOf(chat.Messages, asked.ID+1):] {
			if m.AuthorID != user && p.w.Shows(m, user) {
				answer = public(m)
				return true
			}
		}
		return false
	})
	if err != nil {
		err = fmt.Errorf("imbottest: no answer to message %d: %w", asked.ID, err)
		return Message{}, errors.Join(err, p.Err())
	}
	return answer, nil
}

// await waits until done, for one minute when ctx has no deadline: a test that waits in vain ends with a reason.
func (p *Portal) await(ctx context.Context, done func() bool) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Minute)
		defer cancel()
	}
	return p.w.Await(ctx, done)
}

// Open opens the private dialog of a person with a bot. The first time the bot
// gets ONIMBOTJOINCHAT or ONIMBOTV2JOINCHAT; one that polls gets it with its next poll.
func (p *Portal) Open(ctx context.Context, user, bot imbot.ID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.w.Lock()
	defer p.w.Unlock()
	if err := p.w.CheckPerson(user); err != nil {
		return err
	}
	_, err := p.w.ChatToWriteIn(user, imbot.UserDialog(bot))
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
	text = world.TrimmedText(text)
	switch {
	case p.w.OwnMessage(user, m.ID) == nil:
		return fmt.Errorf("imbottest: user %d may not change message %d", user, m.ID)
	case p.w.Changeable(user, m.ID) == nil:
		return fmt.Errorf("imbottest: message %d is too old to be changed: %s", m.ID, time.Since(m.Time))
	case text == "":
		return fmt.Errorf("imbottest: a message cannot become empty: use Delete")
	}
	m.Text, m.Edited = p.w.StoredText(text), true
	p.w.FireMessageUpdate(p.w.Chats[m.ChatID], m)
	p.w.NoteMessage(m)
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
	if p.w.OwnMessage(user, m.ID) == nil {
		return fmt.Errorf("imbottest: user %d may not delete message %d", user, m.ID)
	}
	heard := world.Mentions(m.Text)
	p.w.DeleteMessage(m, false)
	p.w.FireMessageDelete(p.w.Chats[m.ChatID], m, heard)
	p.w.Notify()
	return nil
}

// Like is [Portal.React] with "like".
func (p *Portal) Like(ctx context.Context, user imbot.ID, msg Message) error {
	return p.React(ctx, user, msg, world.ReactionLike)
}

// React sets the person's reaction on a message, such as "redHeart", or takes it away when it is
// there. A person has one at most, so another one takes the place of the last. The bot that
// wrote the message gets ONIMBOTV2REACTIONCHANGE for each change, unless it was registered
// without reactions; bots of the first generation get no event.
func (p *Portal) React(ctx context.Context, user imbot.ID, msg Message, reaction string) error {
	m, unlock, err := p.lockMessage(ctx, user, msg.ID)
	if err != nil {
		return err
	}
	defer unlock()
	switch {
	case m.Deleted:
		return fmt.Errorf("imbottest: message %d is deleted", m.ID)
	case !world.IsReaction(reaction):
		return fmt.Errorf("imbottest: there is no reaction %.80q", reaction)
	}
	p.w.ReactAsPerson(m, world.Reaction{User: user, Code: reaction})
	return nil
}

// Reactions returns the codes of all reactions there are, "like" first.
func Reactions() []string { return world.Reactions() }

// Forward forwards a message that the person sees to another of the person's dialogs, with its
// files. Bots there get it as a message whose forward says where it comes from; those of the
// first generation do not learn that.
func (p *Portal) Forward(ctx context.Context, user imbot.ID, msg Message, to imbot.DialogID) (Message, error) {
	m, unlock, err := p.lockMessage(ctx, user, msg.ID)
	if err != nil {
		return Message{}, err
	}
	defer unlock()
	if m.Deleted || m.System {
		return Message{}, fmt.Errorf("imbottest: message %d cannot be forwarded", m.ID)
	}
	chat, err := p.w.ChatToWriteIn(user, to)
	if err != nil {
		return Message{}, err
	}
	return public(p.w.Say(chat, user, p.w.ForwardOf(m, chat, user, ""))), nil
}

// Invite adds people and bots to a group chat, as a member of it does. A bot
// gets ONIMBOTJOINCHAT or ONIMBOTV2JOINCHAT.
func (p *Portal) Invite(ctx context.Context, by, chat imbot.ID, users ...imbot.ID) error {
	c, unlock, err := p.lockGroup(ctx, by, chat, users)
	if err != nil {
		return err
	}
	defer unlock()
	if c.Forbids("extend") {
		return fmt.Errorf("imbottest: nobody may be added to chat%d", chat)
	}
	p.w.Join(c, by, true, users...)
	p.w.Notify()
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
	if c.Forbids("leave") {
		return fmt.Errorf("imbottest: nobody may leave chat%d", chat)
	}
	for _, id := range users {
		if c.Member(id) == nil {
			return fmt.Errorf("imbottest: user %d is not a member of chat%d", id, chat)
		}
		if fail := c.CheckRemove(by, id); fail != nil {
			return fmt.Errorf("imbottest: user %d may not remove user %d from chat%d", by, id, chat)
		}
	}
	for _, id := range users {
		p.w.Leave(c, id)
	}
	p.w.Notify()
	return nil
}

// lockGroup makes the checks that Invite and Kick have in common. Without an error it
// returns with the lock held, and the function that unlocks.
func (p *Portal) lockGroup(ctx context.Context, by, id imbot.ID, users []imbot.ID) (*world.Chat, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	p.w.Lock()
	c, err := p.w.Group(id), p.w.CheckPerson(by)
	switch {
	case err != nil:
	case c == nil || c.Member(by) == nil:
		err = fmt.Errorf("imbottest: user %d is not a member of chat%d", by, id)
	case len(p.w.OnlyExisting(users)) != len(users):
		err = fmt.Errorf("imbottest: not all of the users %v exist", users)
	}
	if err != nil {
		p.w.Unlock()
		return nil, nil, err
	}
	return c, p.w.Unlock, nil
}

// lockMessage finds a message that a person sees. Without an error it returns with the
// lock held, and the function that unlocks.
func (p *Portal) lockMessage(ctx context.Context, user, id imbot.ID) (*world.Message, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	p.w.Lock()
	m, err := p.w.VisibleMessage(user, id)
	if err != nil {
		p.w.Unlock()
		return nil, nil, err
	}
	return m, p.w.Unlock, nil
}
