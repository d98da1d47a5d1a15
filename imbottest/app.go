package imbottest

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/imbot-go/imbot"
)

// chatApp is a chat application of a bot.
type chatApp struct {
	id      imbot.ID
	bot     imbot.ID
	app     *application
	code    string
	js      string // JS_METHOD
	jsParam string
	iframe  string
	fields  *array // what only has to be remembered
}

func appMethods(name string) method {
	switch name {
	case "imbot.app.register":
		return appRegister
	case "imbot.app.update":
		return appUpdate
	case "imbot.app.unregister":
		return appUnregister
	}
	return nil
}

func appRegister(c *call) (any, *restError) {
	p := c.p
	app, fail := c.application()
	if fail != nil {
		return nil, fail
	}
	code := c.params.text("CODE")
	if code == "" {
		return nil, wrong("CODE_ERROR", "App code isn't specified")
	}
	created := &chatApp{app: app, code: code}
	if c.params.given("JS_METHOD") && c.params.given("JS_PARAM") { // then IFRAME counts no more
		created.js = c.params.text("JS_METHOD")
		created.jsParam = jsParam(created.js, c.params.text("JS_PARAM"))
	} else if iframe := c.params.text("IFRAME"); iframe != "" {
		if !isHTTPS(iframe) {
			return nil, wrong("IFRAME_HTTPS", "Only HTTPS")
		}
		if c.params.text("HASH") == "" {
			return nil, wrong("HASH_ERROR", "Hash can't be empty")
		}
		created.iframe = iframe
	}
	if created.jsParam == "" && created.iframe == "" {
		return nil, wrong("PARAMS_ERROR", "Need set JS or IFRAME params")
	}
	b, fail := c.ownBot(app)
	if fail != nil {
		return nil, fail
	}
	if c.params.array("LANG").len() == 0 {
		return nil, wrong("LANG_ERROR", "Need set lang params")
	}
	for _, old := range p.chatApps { // nothing changes, and the id comes from the database as text
		if old.bot == b.id && old.code == code {
			return old.id.String(), nil
		}
	}
	p.lastApp++
	created.id, created.bot, created.fields = p.lastApp, b.id, c.params
	p.chatApps[created.id] = created
	return created.id, nil
}

var (
	jsCommand = regexp.MustCompile(`^/[a-zA-Z0-9\-+_/]+(?: [a-zA-Z0-9\-+_/]+)*`)
	jsPhone   = regexp.MustCompile(`^[+0-9][0-9]*`)
	jsCode    = regexp.MustCompile(`^[0-9a-fA-F]{32}`)
)

// jsParam is the part of JS_PARAM that the portal keeps, "" when it is unusable.
func jsParam(method, param string) string {
	switch method {
	case "PUT", "SEND":
		if kept := jsCommand.FindString(param); len(kept) > 2 { // a command of one letter is none
			return kept
		}
	case "CALL":
		return jsPhone.FindString(param)
	case "SUPPORT":
		return jsCode.FindString(param)
	}
	return ""
}

func isHTTPS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.EqualFold(u.Scheme, "https") && u.Host != ""
}

// ownApp is the chat application APP_ID, which has to belong to the caller.
func (c *call) ownApp() (*chatApp, *restError) {
	app, fail := c.application()
	if fail != nil {
		return nil, fail
	}
	found := c.p.chatApps[c.params.id("APP_ID")]
	switch {
	case found == nil:
		return nil, wrong("CHAT_APP_ID_ERROR", "App not found")
	case found.app != app:
		return nil, wrong("APP_ID_ERROR", "App was installed by another rest application")
	}
	return found, nil
}

func appUpdate(c *call) (any, *restError) {
	app, fail := c.ownApp()
	if fail != nil {
		return nil, fail
	}
	fields := c.params.array("FIELDS")
	if fields.given("JS_METHOD") && fields.given("JS_PARAM") {
		method := fields.text("JS_METHOD")
		param := jsParam(method, fields.text("JS_PARAM"))
		if param == "" {
			return true, nil // nothing changes, and nobody says so
		}
		app.js, app.jsParam = method, param
	} else if iframe := fields.text("IFRAME"); iframe != "" {
		if !isHTTPS(iframe) {
			return nil, wrong("IFRAME_HTTPS", "Only HTTPS")
		}
		app.iframe = iframe
	}
	upperKeys(app.fields, fields)
	return true, nil
}

func appUnregister(c *call) (any, *restError) {
	app, fail := c.ownApp()
	if fail != nil {
		return nil, fail
	}
	delete(c.p.chatApps, app.id)
	return true, nil
}
