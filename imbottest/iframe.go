package imbottest

import (
	"crypto/md5" //nolint:gosec // the portal's choice
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// IFrame returns the URL that the portal opens in a frame when a person chooses a
// chat application above the text field of a dialog. It is signed with the
// application's HASH; see [imbot.VerifyIFrame].
func (p *Portal) IFrame(user, app imbot.ID, dialog imbot.DialogID) (string, error) {
	return p.iframe(user, app, "textarea", func() (*world.Chat, []string, error) {
		chat := p.w.Find(user, dialog)
		if chat == nil || chat.Member(user) == nil {
			return nil, nil, fmt.Errorf("imbottest: user %d is not in the dialog %q", user, string(dialog))
		}
		return chat, nil, nil
	})
}

// IFrameOfButton is [Portal.IFrame] for an application that is opened by a button
// below a message; params are what the button has as APP_PARAMS.
func (p *Portal) IFrameOfButton(user, app, message imbot.ID, params string) (string, error) {
	return p.iframe(user, app, "button", func() (*world.Chat, []string, error) {
		m, err := p.w.VisibleMessage(user, message)
		if err != nil {
			return nil, nil, err
		}
		return p.w.Chats[m.ChatID], []string{"MESSAGE_ID", message.String(), "BUTTON_PARAMS", params}, nil
	})
}

// iframe builds the URL. where returns the chat and the parameters that only this way
// to open a frame adds.
func (p *Portal) iframe(user, id imbot.ID, context string, where func() (*world.Chat, []string, error)) (string, error) {
	p.w.Lock()
	defer p.w.Unlock()
	if err := p.w.CheckPerson(user); err != nil {
		return "", err
	}
	app := p.w.ChatApps[id]
	if app == nil || app.IFrame == "" {
		return "", fmt.Errorf("imbottest: there is no chat application %d with a frame", id)
	}
	chat, more, err := where()
	if err != nil {
		return "", err
	}
	key := app.Hash
	if key == "register" { // with this HASH the portal signs users with a secret of its own
		key = p.secret
	}
	pairs := []string{
		"BOT_ID", app.Bot.String(), "BOT_CODE", p.w.Bots[app.Bot].Code, "APP_ID", app.ID.String(), "APP_CODE", app.Code,
		"DOMAIN", strings.TrimSuffix(p.endpoint(), "/rest/"), "DOMAIN_HASH", md5Hex(hostname(p.domain()) + app.Hash),
		"USER_ID", user.String(), "USER_HASH", md5Hex(user.String() + key),
		"DIALOG_ID", string(p.w.DialogOf(chat, user)), "CONTEXT", context, "LANG", world.Language, "IS_CHROME", "Y",
	}
	pairs = append(pairs, more...)
	if chat.EntityType == world.EntityLines {
		pairs = append(pairs, "DIALOG_ENTITY_ID", chat.EntityID, "DIALOG_ENTITY_DATA_1", chat.EntityData[0], "DIALOG_CONTEXT", "lines")
	}
	var query []string
	for i := 0; i+1 < len(pairs); i += 2 {
		query = append(query, pairs[i]+"="+url.QueryEscape(pairs[i+1]))
	}
	separator := "?"
	if strings.Contains(app.IFrame, "?") {
		separator = "&"
	}
	return app.IFrame + separator + strings.Join(query, "&"), nil
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text)) //nolint:gosec // the portal's choice
	return hex.EncodeToString(sum[:])
}
