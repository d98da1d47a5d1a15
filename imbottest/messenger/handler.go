// Package messenger is a web page that shows an imbottest.Portal as a person would
// see it: dialogs, keyboards, attachments, files, reactions, commands and chat applications, and
// beside them the calls and events with their bodies.
//
//	portal := imbottest.NewPortal()
//	portal.Mount(messenger.Handler(portal))
//	err := portal.Listen("127.0.0.1:8060")
//
// For bots in any language,
//
//	go run github.com/imbot-go/imbot/examples/portal@latest
//
// serves it and prints a webhook URL.
//
// Whoever can open the page can act as anybody on the portal, so make it reachable from
// this machine only.
package messenger

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/imbot-go/imbot/imbottest"
)

//go:embed page
var page embed.FS

// maxBody is how many bytes the page may post.
const maxBody = 1 << 20

type handler struct {
	portal *imbottest.Portal
	gets   map[string]func(*http.Request) (any, error)
	posts  map[string]func(*http.Request, []byte) (any, error)
}

// Handler returns a handler for the page and for all its requests. Its addresses are
// relative: mount it with [imbottest.Portal.Mount], or anywhere with [http.StripPrefix].
// It answers only under the names localhost and *.localhost and under IP addresses, and
// refuses requests from pages of other origins.
//
// A stream of changes ends when its request is canceled or the portal is closed.
func Handler(portal *imbottest.Portal) http.Handler {
	h := &handler{portal: portal}
	h.gets = map[string]func(*http.Request) (any, error){
		"api/state": h.state, "api/messages": h.messages, "api/help": h.help, "api/frame": h.frame,
		"api/exchanges": h.exchanges, "api/exchange": h.exchange,
	}
	h.posts = map[string]func(*http.Request, []byte) (any, error){
		"api/say": h.say, "api/press": h.press, "api/edit": h.edit, "api/delete": h.delete, "api/react": h.react, "api/forward": h.forward,
		"api/open": h.open, "api/chat": h.chat, "api/invite": h.invite, "api/kick": h.kick, "api/user": h.addUser,
		"api/replay": h.replay,
	}
	return h
}

// policy lets the page run only its own code, and show pictures and frames of bots.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data: https: http://127.0.0.1:* http://localhost:*; " +
	"frame-src https: http://127.0.0.1:* http://localhost:*; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")

	name := strings.TrimPrefix(r.URL.Path, "/")
	switch {
	case !localName(r.Host):
		fail(w, http.StatusForbidden, errors.New("open this page as localhost, or under an IP address"))
	case !ownOrigin(r, name):
		fail(w, http.StatusForbidden, errors.New("requests from other pages are refused"))
	case r.Method == http.MethodPost:
		h.post(w, r, name)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		fail(w, http.StatusMethodNotAllowed, errors.New("only GET and POST are answered"))
	case r.URL.Path == "": // without a slash at the end, the relative addresses of the page would be wrong
		sent, _, _ := strings.Cut(r.RequestURI, "?")
		header.Set("Location", "./"+path.Base(sent)+"/")
		w.WriteHeader(http.StatusMovedPermanently)
	default:
		h.get(w, r, name)
	}
}

// localName reports whether a host is one for which browsers ask no name server. Under any
// other name the page could be reached by a page of that name, whose owner lets the name
// point to this machine (DNS rebinding).
func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(host), "["), "]")
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil
}

// ownOrigin reports whether a request comes from the page itself, from the address bar, or
// from no browser. Other pages may only link to the page.
func ownOrigin(r *http.Request, name string) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return false
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.Method == http.MethodGet && (name == "" || name == "index.html") &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

func (h *handler) get(w http.ResponseWriter, r *http.Request, name string) {
	switch name {
	case "api/events":
		if r.Method == http.MethodHead { // the stream would never end
			fail(w, http.StatusMethodNotAllowed, errors.New("this is for GET"))
			return
		}
		h.events(w, r)
		return
	case "api/avatar", "api/icon":
		h.picture(w, r, name)
		return
	case "api/file":
		h.file(w, r)
		return
	}
	if answer, ok := h.gets[name]; ok {
		v, err := answer(r)
		reply(w, v, err)
		return
	}
	if _, ok := h.posts[name]; ok {
		fail(w, http.StatusMethodNotAllowed, errors.New("this is for POST"))
		return
	}
	if name == "" {
		name = "index.html"
	}
	data, err := page.ReadFile("page/" + name)
	if err != nil {
		fail(w, http.StatusNotFound, errors.New("there is no such address"))
		return
	}
	w.Header().Set("Content-Type", contentTypes[path.Ext(name)]+"; charset=utf-8")
	_, _ = w.Write(data)
}

// contentTypes are those of the page's files. Package mime would ask the system, which can
// have others.
var contentTypes = map[string]string{".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

func (h *handler) post(w http.ResponseWriter, r *http.Request, name string) {
	if name == "api/file" {
		h.sayFile(w, r)
		return
	}
	act, ok := h.posts[name]
	if !ok {
		fail(w, http.StatusNotFound, errors.New("there is no such address for POST"))
		return
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		fail(w, http.StatusUnsupportedMediaType, errors.New("the body has to be application/json"))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is cut off or larger than %d bytes", maxBody))
		return
	}
	v, err := act(r, body)
	reply(w, v, err)
}

// statusError is an error that is answered with a status of its own. All others get 400.
type statusError struct {
	code int
	text string
}

func (s statusError) Error() string { return s.text }

func reply(w http.ResponseWriter, v any, err error) {
	code := http.StatusBadRequest
	if s := (statusError{}); errors.As(err, &s) {
		code = s.code
	}
	if err != nil {
		fail(w, code, err)
		return
	}
	writeJSON(w, http.StatusOK, v)
}

func fail(w http.ResponseWriter, code int, err error) {
	writeJSON(w, code, map[string]string{"error": strings.TrimPrefix(err.Error(), "imbottest: ")})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	data, err := json.Marshal(v)
	if err != nil { // cannot happen: every answer can be written as JSON
		code, data = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(data)
}
