package messenger

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// How many messages or exchanges an answer has: when the page does not say, and at most.
const (
	defaultLimit = 50
	maxLimit     = 500
)

func number(q url.Values, name string) int64 {
	n, _ := strconv.ParseInt(q.Get(name), 10, 64) // 0 when it is no number; nothing has the id 0
	return n
}

func limit(q url.Values) int {
	if n := number(q, "limit"); n > 0 {
		return int(min(n, maxLimit))
	}
	return defaultLimit
}

// viewer is the user whose view of the portal the page asks for.
func (h *handler) viewer(q url.Values) (imbot.ID, error) {
	id := imbot.ID(number(q, "user"))
	if h.portal.Name(id) == "" && !slices.ContainsFunc(h.portal.Users(), func(u imbottest.User) bool { return u.ID == id }) {
		return 0, statusError{http.StatusNotFound, "there is no user " + id.String()}
	}
	return id, nil
}

func (h *handler) state(r *http.Request) (any, error) {
	id, err := h.viewer(r.URL.Query())
	if err != nil {
		return nil, err
	}
	endpoint := h.portal.Endpoint()
	u, _ := url.Parse(endpoint) // never fails
	out := struct {
		Portal   string   `json:"portal"`
		User     imbot.ID `json:"user"`
		Seq      int64    `json:"seq"`
		Users    []user   `json:"users"`
		Dialogs  []dialog `json:"dialogs"`
		Endpoint string   `json:"endpoint"`
	}{u.Host, id, h.portal.Changed(), []user{}, []dialog{}, endpoint} // seq comes first: what changes while the rest is read comes in the stream again
	for _, u := range h.portal.Users() {
		out.Users = append(out.Users, h.user(u))
	}
	for _, d := range h.portal.Dialogs(id) {
		out.Dialogs = append(out.Dialogs, h.dialog(d))
	}
	return out, nil
}

func (h *handler) messages(r *http.Request) (any, error) {
	q := r.URL.Query()
	id, err := h.viewer(q)
	if err != nil {
		return nil, err
	}
	name, n := imbot.DialogID(q.Get("dialog")), limit(q)
	found := h.portal.History(id, name, imbot.ID(number(q, "before")), n+1)
	more := len(found) > n
	if more {
		found = found[1:]
	}
	messages := []message{}
	for _, m := range found {
		messages = append(messages, newMessage(m, name))
	}
	return map[string]any{"messages": messages, "more": more}, nil
}

func (h *handler) help(r *http.Request) (any, error) {
	q := r.URL.Query()
	id, err := h.viewer(q)
	if err != nil {
		return nil, err
	}
	commands, apps := []command{}, []app{}
	for _, c := range h.portal.Commands(id, imbot.DialogID(q.Get("dialog"))) {
		commands = append(commands, command{Command: "/" + c.Name, Bot: c.Bot, Title: c.Title, Params: c.Params, Hidden: c.Hidden})
	}
	for _, a := range h.portal.Apps(id, imbot.DialogID(q.Get("dialog"))) {
		apps = append(apps, app{
			ID: a.ID, Bot: a.Bot, Code: a.Code, Title: a.Title, Description: a.Description,
			Icon: pictureURL("icon?app", a.ID, h.portal.Icon(a.ID)), Frame: a.Frame, Width: a.Width, Height: a.Height,
			JS: a.JSMethod, Param: a.JSParam,
		})
	}
	return map[string]any{"commands": commands, "apps": apps}, nil
}

func (h *handler) frame(r *http.Request) (any, error) {
	q := r.URL.Query()
	id, err := h.viewer(q)
	if err != nil {
		return nil, err
	}
	var address string
	if q.Has("message") {
		address, err = h.portal.IFrameOfButton(id, imbot.ID(number(q, "app")), imbot.ID(number(q, "message")), q.Get("params"))
	} else {
		address, err = h.portal.IFrame(id, imbot.ID(number(q, "app")), imbot.DialogID(q.Get("dialog")))
	}
	return map[string]string{"url": address}, err
}

func (h *handler) picture(w http.ResponseWriter, r *http.Request, name string) {
	q := r.URL.Query()
	var data []byte
	switch {
	case name == "api/icon":
		data = h.portal.Icon(imbot.ID(number(q, "app")))
	case q.Has("chat"):
		data = h.portal.Avatar(imbot.ChatDialog(imbot.ID(number(q, "chat"))))
	default:
		data = h.portal.Avatar(imbot.UserDialog(imbot.ID(number(q, "user"))))
	}
	kind := pictureType(data)
	if kind == "" {
		reply(w, nil, statusError{http.StatusNotFound, "there is no such picture"})
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(data)
}

// pictureType is the content type of a picture, "" for anything else and for types that
// can contain scripts, such as SVG.
func pictureType(data []byte) string {
	switch kind := http.DetectContentType(data); kind {
	case "image/png", "image/jpeg", "image/gif":
		return kind
	}
	return ""
}

func (h *handler) exchanges(r *http.Request) (any, error) {
	q := r.URL.Query()
	n := limit(q)
	found := h.portal.Exchanges(number(q, "before"), n+1)
	more := len(found) > n
	exchanges := []exchange{}
	for _, x := range found[:min(n, len(found))] {
		exchanges = append(exchanges, newExchange(x))
	}
	return map[string]any{"exchanges": exchanges, "more": more}, nil
}

func (h *handler) exchange(r *http.Request) (any, error) {
	x, ok := h.portal.Exchange(number(r.URL.Query(), "id"))
	if !ok {
		return nil, statusError{http.StatusNotFound, "this call or event is forgotten"}
	}
	return exchangeBodies{newExchange(x), x.Sent, x.Answer}, nil
}
