package world

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// Admin is the administrator, who owns the webhook and installs applications.
const Admin imbot.ID = 1

// Application owns bots and their handlers. It is an OAuth application, or stands for a
// CLIENT_ID that is used with the webhook.
type Application struct {
	ID       string // as the portal stores it: "custom" + CLIENT_ID, or the OAuth client id
	ClientID string
	OAuth    bool
	Token    string    // application_token of events
	hooks    []Binding // the URLs of bots of the second generation
	Handlers map[string]Binding

	// Of OAuth applications:
	Secret    string // "" until Portal.Application has set it
	Installed bool
	Finished  bool // the installation; before that the portal sends no events
	Version   int
	Options   map[imbot.ID]*php.Array // by user; 0 stands for everybody
}

// Application finds or makes an application; the lock is held.
func (w *World) Application(id, clientID string, oauth bool) *Application {
	app := w.Apps[id]
	if app == nil {
		app = &Application{ID: id, ClientID: clientID, OAuth: oauth, Token: clientID, Handlers: map[string]Binding{}}
		if oauth {
			app.Token = RandomHex(16)
		}
		w.Apps[id] = app
	}
	return app
}

// The events in the life of an application.
const (
	EventInstall   = "ONAPPINSTALL"
	EventUpdate    = "ONAPPUPDATE"
	EventUninstall = "ONAPPUNINSTALL"
)

// AppEvents are the events in the life of an application.
var AppEvents = []string{EventInstall, EventUpdate, EventUninstall}

// Binding is the handler of an application for an event. There is one for each event.
type Binding struct {
	ID   imbot.ID
	URL  string // as registered
	Full string // with CLIENT_ID behind it

	ByEventBind bool // set by the method event.bind
}

// BindEvent sets the handler of an application for an event.
func (w *World) BindEvent(app *Application, event, address string) {
	full := address
	if !app.OAuth { // the portal does not escape the client id
		separator := "?"
		if strings.Contains(address, "?") {
			separator = "&"
		}
		full += separator + "CLIENT_ID=" + app.ClientID
	}
	w.lastBind++
	app.Handlers[event] = Binding{ID: w.lastBind, URL: address, Full: full}
}

// ForgetBindings removes the handlers that event.bind has set, as the portal does when
// an application is updated.
func (a *Application) ForgetBindings() {
	for event, b := range a.Handlers {
		if b.ByEventBind {
			delete(a.Handlers, event)
		}
	}
}

// Acceptable checks a handler's URL as the portal does, by its form alone: it does not
// connect to it.
func Acceptable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
		return false // it refuses a scheme in capital letters, too
	}
	if port := u.Port(); port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
	}
	return strings.Index(u.Hostname(), ".") > 0 && !strings.Contains(u.Hostname(), ":")
}

// IsLoopback reports whether a host is of this machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
