package imbottest

import (
	"crypto/md5" //nolint:gosec // the portal's choice
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/imbot-go/imbot"
)

// IFrame returns the URL that the portal opens in a frame when a person chooses a
// chat application above the text field of a dialog. It is signed with the
// application's HASH; see [imbot.VerifyIFrame].
func (p *Portal) IFrame(user, app imbot.ID, dialog imbot.DialogID) (string, error) {
	return p.iframe(user, app, "textarea", func() (*chat, []string, error) {
		chat := p.find(user, dialog)
		if chat == nil || chat.member(user) == nil {
			return nil, nil, fmt.Errorf("imbottest: user %d is not in the dialog %q", user, string(dialog))
		}
		return chat, nil, nil
	})
}

// IFrameOfButton is [Portal.IFrame] for an application that is opened by a button
// below a message; params are what the button has as APP_PARAMS.
func (p *Portal) IFrameOfButton(user, app, message imbot.ID, params string) (string, error) {
	return p.iframe(user, app, "button", func() (*chat, []string, error) {
		m, err := p.visibleMessage(user, message)
		if err != nil {
			return nil, nil, err
		}
		return p.chats[m.ChatID], []string{"MESSAGE_ID", message.String(), "BUTTON_PARAMS", params}, nil
	})
}

// iframe builds the URL. where returns the chat and the parameters that only this way
// to open a frame adds.
func (p *Portal) iframe(user, id imbot.ID, context string, where func() (*chat, []string, error)) (string, error) {
	p.Lock()
	defer p.Unlock()
	if err := p.checkPerson(user); err != nil {
		return "", err
	}
	app := p.chatApps[id]
	if app == nil || app.iframe == "" {
		return "", fmt.Errorf("imbottest: there is no chat application %d with a frame", id)
	}
	chat, more, err := where()
	if err != nil {
		return "", err
	}
	key := app.hash
	if key == "register" { // with this HASH the portal signs users with a secret of its own
		key = p.secret
	}
	pairs := []string{
		"BOT_ID", app.bot.String(), "BOT_CODE", p.bots[app.bot].code, "APP_ID", app.id.String(), "APP_CODE", app.code,
		"DOMAIN", strings.TrimSuffix(p.endpoint(), "/rest/"), "DOMAIN_HASH", md5Hex(hostname(p.domain()) + app.hash),
		"USER_ID", user.String(), "USER_HASH", md5Hex(user.String() + key),
		"DIALOG_ID", string(p.dialogOf(chat, user)), "CONTEXT", context, "LANG", language, "IS_CHROME", "Y",
	}
	pairs = append(pairs, more...)
	if chat.entityType == entityLines {
		pairs = append(pairs, "DIALOG_ENTITY_ID", chat.entityID, "DIALOG_ENTITY_DATA_1", chat.entityData[0], "DIALOG_CONTEXT", "lines")
	}
	var query []string
	for i := 0; i+1 < len(pairs); i += 2 {
		query = append(query, pairs[i]+"="+url.QueryEscape(pairs[i+1]))
	}
	separator := "?"
	if strings.Contains(app.iframe, "?") {
		separator = "&"
	}
	return app.iframe + separator + strings.Join(query, "&"), nil
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text)) //nolint:gosec // the portal's choice
	return hex.EncodeToString(sum[:])
}
