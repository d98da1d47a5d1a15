package v2

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func memberMethods(name string) world.Method {
	switch name {
	case "imbot.v2.chat.user.add":
		return userAdd
	case "imbot.v2.chat.user.delete":
		return userDelete
	case "imbot.v2.chat.user.list":
		return userList
	case "imbot.v2.chat.manager.add":
		return func(c *world.Call) (any, *world.Refusal) { return setManagers(c, true) }
	case "imbot.v2.chat.manager.delete":
		return func(c *world.Call) (any, *world.Refusal) { return setManagers(c, false) }
	}
	return nil
}

// userAdd answers true whoever was added; in a private dialog that is nobody.
func userAdd(c *world.Call) (any, *world.Refusal) {
	b, chat, fail := botAndChat(c)
	switch {
	case fail != nil:
		return nil, fail
	case chat.Forbids("extend"):
		return nil, errDenied
	}
	if chat.Kind != world.KindPrivate {
		c.World.Join(chat, b.ID, true, idsOf(c.Params.Get("USERIDS"))...)
	}
	return isTrue(), nil
}

// userDelete answers true for somebody who is no member, too.
func userDelete(c *world.Call) (any, *world.Refusal) {
	b, chat, fail := botInChat(c, "userId")
	if fail != nil {
		return nil, fail
	}
	user := c.Params.ID("USERID")
	if chat.Kind == world.KindPrivate || chat.Forbids("leave") || chat.CheckRemove(b.ID, user) != nil {
		return nil, errDenied
	}
	c.World.Leave(chat, user)
	return isTrue(), nil
}

// How many members a list has, and at most.
const (
	usualMembers = 50
	mostMembers  = 200
)

func userList(c *world.Call) (any, *world.Refusal) {
	_, chat, fail := botInChat(c)
	if fail != nil {
		return nil, fail
	}
	members := slices.Clone(chat.Members) // in the order of their joining, which is that of id
	order := c.Params.Array("ORDER")
	last := map[imbot.ID]imbot.ID{}
	for _, m := range chat.Messages {
		last[m.AuthorID] = m.ID
	}
	switch {
	case order.Given("userId"):
		slices.SortStableFunc(members, func(a, b *world.Member) int { return cmp.Compare(a.User, b.User) })
	case order.Given("lastSendMessageId"):
		slices.SortStableFunc(members, func(a, b *world.Member) int { return cmp.Compare(last[a.User], last[b.User]) })
	}
	if order.Len() > 0 && strings.EqualFold(order.Text(order.Keys[0]), "desc") {
		slices.Reverse(members)
	}
	limit := int(c.Params.ID("LIMIT"))
	if limit < 1 || limit > mostMembers {
		limit = usualMembers
	}
	list := php.NewArray()
	for _, m := range members[:min(limit, len(members))] {
		list.Add(c.World.UserObject(c.World.Users[m.User], false))
	}
	if c.World.Differs(world.DoubtUserList) {
		return php.Object("users", list), nil
	}
	return list, nil
}

// setManagers skips those who are no members. The owner stays the owner.
func setManagers(c *world.Call, manager bool) (any, *world.Refusal) {
	b, chat, fail := botAndChat(c)
	users := idsOf(c.Params.Get("USERIDS"))
	switch {
	case fail != nil:
		return nil, fail
	case chat.Kind == world.KindPrivate:
		return nil, errWrong
	case chat.Owner != b.ID:
		return nil, errDenied
	case len(users) == 0:
		return nil, world.BadRequest("EMPTY_USER_IDS", "User IDs are empty")
	}
	for _, id := range users {
		if m := chat.Member(id); m != nil {
			m.Manager = manager
		}
	}
	c.World.NoteDialog(chat)
	return isTrue(), nil
}
