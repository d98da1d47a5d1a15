package imbottest

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

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
		return nil, badRequest("CODE_ERROR", "App code isn't specified")
	}
	usable, iframe, hash := false, "", ""
	if c.params.given("JS_METHOD") && c.params.given("JS_PARAM") { // the portal ignores IFRAME then
		usable = isUsableJS(c.params.text("JS_METHOD"), c.params.text("JS_PARAM"))
	} else if iframe = c.params.text("IFRAME"); iframe != "" {
		if !isHTTPS(iframe) {
			return nil, badRequest("IFRAME_HTTPS", "Only HTTPS")
		}
		if hash = c.params.text("HASH"); hash == "" {
			return nil, badRequest("HASH_ERROR", "Hash can't be empty")
		}
		usable = true
	}
	if !usable {
		return nil, badRequest("PARAMS_ERROR", "Need set JS or IFRAME params")
	}
	b, fail := c.ownBot(app)
	if fail != nil {
		return nil, fail
	}
	if c.params.array("LANG").len() == 0 {
		return nil, badRequest("LANG_ERROR", "Need set lang params")
	}
	if fail := c.vetoed(refusalWithParams(c.params)); fail != nil {
		return nil, fail
	}
	for _, old := range p.chatApps { // an application that exists is not changed, and its id is answered as text
		if old.bot == b.id && old.code == code {
			return old.id.String(), nil
		}
	}
	p.lastApp++
	registered := &chatApp{id: p.lastApp, bot: b.id, app: app, code: code, iframe: iframe, hash: hash[:min(len(hash), maxHash)]}
	registered.describe(c.params)
	registered.icon = picture(c.params.get("ICON_FILE"))
	p.chatApps[p.lastApp] = registered
	p.noteHelp()
	return p.lastApp, nil
}

// refusalWithParams is the description of the error when an application cannot be
// stored. The portal puts the parameters of the call into it.
func refusalWithParams(params *array) string {
	data, _ := json.Marshal(params) // PHP values can always be written
	return "App can't be created: " + string(data)
}

// maxHash is the length to which imbot.app.register cuts HASH.
const maxHash = 32

func appUpdate(c *call) (any, *restError) {
	app, fail := c.ownApp()
	if fail != nil {
		return nil, fail
	}
	fields := c.params.array("FIELDS")
	iframe := fields.text("IFRAME")
	if fields.given("JS_METHOD") && fields.given("JS_PARAM") {
		iframe = "" // the portal ignores it then, even when JS_PARAM is unusable
	}
	if iframe != "" && !isHTTPS(iframe) {
		return nil, badRequest("IFRAME_HTTPS", "Only HTTPS")
	}
	if fail := c.vetoed("App can't be updated"); fail != nil {
		return nil, fail
	}
	if iframe != "" {
		app.iframe = iframe
	}
	if hash := fields.text("HASH"); hash != "" { // unlike imbot.app.register, this does not cut it
		app.hash = hash
	}
	app.describe(fields)
	c.p.noteHelp()
	return true, nil
}

func appUnregister(c *call) (any, *restError) {
	app, fail := c.ownApp()
	if fail != nil {
		return nil, fail
	}
	if fail := c.vetoed("App can't be deleted"); fail != nil {
		return nil, fail
	}
	delete(c.p.chatApps, app.id)
	c.p.noteHelp()
	return true, nil
}

// ownApp is the chat application of APP_ID, which has to belong to the caller.
func (c *call) ownApp() (*chatApp, *restError) {
	app, fail := c.application()
	if fail != nil {
		return nil, fail
	}
	found := c.p.chatApps[c.params.id("APP_ID")]
	switch {
	case found == nil:
		return nil, badRequest("CHAT_APP_ID_ERROR", "App not found")
	case found.app != app:
		return nil, badRequest("APP_ID_ERROR", "App was installed by another rest application")
	}
	return found, nil
}

var (
	jsCommand = regexp.MustCompile(`^/[a-zA-Z0-9\-+_/]+(?: [a-zA-Z0-9\-+_/]+)*`)
	jsPhone   = regexp.MustCompile(`^[+0-9][0-9]*`)
	jsCode    = regexp.MustCompile(`^[0-9a-fA-F]{32}`)
)

// isUsableJS reports whether JS_PARAM begins with something that the portal can keep.
func isUsableJS(method, param string) bool {
	switch method {
	case "PUT", "SEND":
		return len(jsCommand.FindString(param)) > 2 // the portal does not accept a command of one letter
	case "CALL":
		return jsPhone.MatchString(param)
	case "SUPPORT":
		return jsCode.MatchString(param)
	}
	return false
}

func isHTTPS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.EqualFold(u.Scheme, "https") && u.Host != ""
}
