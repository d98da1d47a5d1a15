package v1

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func appMethods(name string) world.Method {
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

func appRegister(c *world.Call) (any, *world.Refusal) {
	w := c.World
	app, fail := application(c)
	if fail != nil {
		return nil, fail
	}
	code := c.Params.Text("CODE")
	if code == "" {
		return nil, world.BadRequest("CODE_ERROR", "App code isn't specified")
	}
	usable, iframe, hash := false, "", ""
	if c.Params.Given("JS_METHOD") && c.Params.Given("JS_PARAM") { // the portal ignores IFRAME then
		usable = isUsableJS(c.Params.Text("JS_METHOD"), c.Params.Text("JS_PARAM"))
	} else if iframe = c.Params.Text("IFRAME"); iframe != "" {
		if !isHTTPS(iframe) {
			return nil, world.BadRequest("IFRAME_HTTPS", "Only HTTPS")
		}
		if hash = c.Params.Text("HASH"); hash == "" {
			return nil, world.BadRequest("HASH_ERROR", "Hash can't be empty")
		}
		usable = true
	}
	if !usable {
		return nil, world.BadRequest("PARAMS_ERROR", "Need set JS or IFRAME params")
	}
	b, fail := ownBot(c, app)
	if fail != nil {
		return nil, fail
	}
	if c.Params.Array("LANG").Len() == 0 {
		return nil, world.BadRequest("LANG_ERROR", "Need set lang params")
	}
	if fail := c.Vetoed(refusalWithParams(c.Params)); fail != nil {
		return nil, fail
	}
	for _, old := range w.ChatApps { // an application that exists is not changed, and its id is answered as text
		if old.Bot == b.ID && old.Code == code {
			return old.ID.String(), nil
		}
	}
	w.LastApp++
	registered := &world.ChatApp{ID: w.LastApp, Bot: b.ID, App: app, Code: code, IFrame: iframe, Hash: hash[:min(len(hash), maxHash)]}
	describeApp(registered, c.Params)
	registered.Icon = world.Picture(c.Params.Get("ICON_FILE"))
	w.ChatApps[w.LastApp] = registered
	w.NoteHelp()
	return w.LastApp, nil
}

// refusalWithParams is the description of the error when an application cannot be
// stored. The portal puts the parameters of the call into it.
func refusalWithParams(params *php.Array) string {
	data, _ := json.Marshal(params) // PHP values can always be written
	return "App can't be created: " + string(data)
}

// maxHash is the length to which imbot.app.register cuts HASH.
const maxHash = 32

func appUpdate(c *world.Call) (any, *world.Refusal) {
	app, fail := ownApp(c)
	if fail != nil {
		return nil, fail
	}
	fields := c.Params.Array("FIELDS")
	iframe := fields.Text("IFRAME")
	if fields.Given("JS_METHOD") && fields.Given("JS_PARAM") {
		iframe = "" // the portal ignores it then, even when JS_PARAM is unusable
	}
	if iframe != "" && !isHTTPS(iframe) {
		return nil, world.BadRequest("IFRAME_HTTPS", "Only HTTPS")
	}
	if fail := c.Vetoed("App can't be updated"); fail != nil {
		return nil, fail
	}
	if iframe != "" {
		app.IFrame = iframe
	}
	if hash := fields.Text("HASH"); hash != "" { // unlike imbot.app.register, this does not cut it
		app.Hash = hash
	}
	describeApp(app, fields)
	c.World.NoteHelp()
	return true, nil
}

func appUnregister(c *world.Call) (any, *world.Refusal) {
	app, fail := ownApp(c)
	if fail != nil {
		return nil, fail
	}
	if fail := c.Vetoed("App can't be deleted"); fail != nil {
		return nil, fail
	}
	delete(c.World.ChatApps, app.ID)
	c.World.NoteHelp()
	return true, nil
}

// ownApp is the chat application of APP_ID, which has to belong to the caller.
func ownApp(c *world.Call) (*world.ChatApp, *world.Refusal) {
	app, fail := application(c)
	if fail != nil {
		return nil, fail
	}
	found := c.World.ChatApps[c.Params.ID("APP_ID")]
	switch {
	case found == nil:
		return nil, world.BadRequest("CHAT_APP_ID_ERROR", "App not found")
	case found.App != app:
		return nil, world.BadRequest("APP_ID_ERROR", "App was installed by another rest application")
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

// The default size of frames, and the smallest one.
const (
	frameWidth, frameHeight       = 320, 250
	minFrameWidth, minFrameHeight = 250, 50
)

// describeApp stores what people see of an application. What was not sent stays as it
// was.
func describeApp(a *world.ChatApp, from *php.Array) {
	if from.Array("LANG").Len() > 0 {
		a.Titles = from.Array("LANG")
	}
	if method, param := from.Text("JS_METHOD"), from.Text("JS_PARAM"); isUsableJS(method, param) {
		a.JSMethod, a.JSParam = method, param
	}
	if context := from.Text("CONTEXT"); context != "" {
		a.Context = context
	}
	if hidden := from.Text("HIDDEN"); hidden != "" {
		a.Hidden = hidden == "Y"
	}
	a.Width = max(minFrameWidth, int(cmp.Or(from.ID("IFRAME_WIDTH"), imbot.ID(a.Width), frameWidth)))
	a.Height = max(minFrameHeight, int(cmp.Or(from.ID("IFRAME_HEIGHT"), imbot.ID(a.Height), frameHeight)))
}
