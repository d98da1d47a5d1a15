package imbot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"weak"

	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/imbot-go/imbot/internal/inbox"
	"github.com/imbot-go/imbot/internal/rest"
	"github.com/imbot-go/imbot/internal/secret"
)

// OAuthApp is an OAuth application: one program, installed on any number of
// portals. Fill in the fields before the first call of a method; the methods are
// safe for concurrent use. Do not copy it, and keep it by pointer: it prints masked,
// as [Webhook] does and with the same exceptions.
//
// A portal gets into the Store by an installation: the event ONAPPINSTALL
// ([OAuthApp.Verifier]), the page of the application ([OAuthApp.InstallPage]) or
// an authorization code ([OAuthApp.Exchange]). None of what they bring is
// believed before the authorization server has confirmed it. An access token is
// renewed when the portal refuses it, once for all calls that wait, and the new
// pair is stored before it is used.
//
// The token server uses up a refresh token when it answers (livecheck: oauth-rotation). A program that is killed
// between the answer and the store's write loses the grant, and so does one whose store
// fails in that moment and that ends before a later call could store the pair. So let
// the calls return before the program ends; a renewal goes on when a context ends.
type OAuthApp struct {
	ClientID     string
	ClientSecret string // sent to the authorization servers and to nobody else
	Store        TokenStore

	// OnInstall is called when the grant of a portal was stored, after an
	// installation or update. An application with a page gets the page's POST
	// and the event, so it may run more than once: use [EnsureBot]. It may take a
	// minute, as may OnUninstall. Its error goes to OnError of the event handler,
	// or onto the page.
	OnInstall func(ctx context.Context, client *Client, grant Grant) error

	// OnUninstall is called when the grant of a portal was deleted. The tokens
	// are dead by then. The portal sends ONAPPUNINSTALL only where it is bound
	// to, so an application with a page binds it in OnInstall. That fails, with
	// no harm done, when it is bound already:
	//
	//	err := client.Call(ctx, "event.bind", map[string]any{"event": "ONAPPUNINSTALL", "handler": eventURL}, nil)
	OnUninstall func(ctx context.Context, grant Grant) error

	// AuthServers are the authorization servers that are trusted, by host, or
	// by address as in "http://127.0.0.1:8080" for a test. Empty:
	// oauth.bitrix.info and oauth.bitrix24.tech. An installation names the server
	// of its portal, and the client secret is sent to no server but these.
	AuthServers []string

	// Options are for the client of every portal. Their http.Client and logger
	// serve the authorization servers, too; its Timeout does not bound a renewal,
	// which may take half a minute, because giving up early loses the new tokens.
	Options []Option

	// TokenQuery sends secrets to the token endpoint in the query of a GET
	// instead of the body of a POST, for a server that refuses POST
	// (livecheck: oauth-info-post). Queries end up in logs.
	TokenQuery bool

	noPrint
	_ noCopy

	once    sync.Once
	shared  sync.Once // see warnOfOthers
	invalid error     // what is wrong with the fields above
	options *options
	http    *http.Client       // for the token endpoint
	servers []string           // origins of AuthServers
	checks  *rate.Limiter      // of what anybody can send: tokens that are not confirmed yet
	pages   chan struct{}      // holds one element for each check that the page has begun
	bodies  *inbox.Bodies      // that come in at the page
	flights singleflight.Group // renewals

	mu        sync.Mutex                      // of what is below; by member id
	members   map[string]weak.Pointer[member] // portals in use
	holds     map[string]*rest.Holds          // of portals, which may outlive their members
	troubles  map[string]trouble              // renewals that failed
	redirects map[string]time.Time            // until when Confirm asks about no redirect of the portal
	swept     time.Time                       // when the pauses that were over were forgotten
}

// noCopy lets go vet report a copy of the struct that has it as a field.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// noPrint masks what embeds it, by pointer and by value. Who prints a pointer to what
// holds such a value makes no copy that go vet could report, and fmt then finds only
// methods with a value receiver, as this one is. A Format of the type itself would hide
// it.
type noPrint struct{}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (noPrint) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "***") }

// setup checks the fields and makes the state, once. Whatever an exported method
// leads to calls it first.
func (a *OAuthApp) setup() error {
	a.once.Do(func() { a.invalid = a.start() })
	return a.invalid
}

func (a *OAuthApp) start() (err error) {
	a.checks, a.pages = rate.NewLimiter(10, 20), make(chan struct{}, mostPages)
	a.bodies = inbox.NewBodies(inbox.BodyBytes)
	a.members, a.holds = map[string]weak.Pointer[member]{}, map[string]*rest.Holds{}
	a.troubles, a.redirects = map[string]trouble{}, map[string]time.Time{}
	a.options, err = newOptions(a.Options)
	switch {
	case err != nil:
		return err
	case a.ClientID == "" || a.ClientSecret == "":
		return invalid("", "OAuthApp: ClientID or ClientSecret is empty")
	case a.Store == nil:
		return invalid("", "OAuthApp: Store is nil")
	}
	servers := a.AuthServers
	if len(servers) == 0 {
		servers = []string{"oauth.bitrix.info", "oauth.bitrix24.tech"}
	}
	for _, server := range servers {
		if !strings.Contains(server, "://") {
			server = "https://" + server
		}
		u, err := parseEndpoint("OAuthApp.AuthServers", server)
		if err != nil {
			return err
		}
		a.servers = append(a.servers, u.Scheme+"://"+u.Host)
	}
	a.http = rest.Plain(a.options.Transport) // an attempt has tokenTimeout
	return nil
}

// Client returns a client for a portal by its member id, for work in the
// background. The error is [ErrNotFound] for a portal that is not in the store,
// and [ErrReinstall] for one whose grant is known to be dead.
//
// A store does not list its portals: for work on all of them, keep their member
// ids, and those of their bots, in OnInstall.
//
// On a portal where the application is switched off, or was uninstalled without
// ONAPPUNINSTALL reaching the handler, calls fail with [ErrApplicationNotFound] or
// [ErrOAuth]. The grant stays stored, because the application may come back.
//
// It reads the store each time. The client renews its tokens by itself and can be
// kept; clients of one portal share their state, and what nobody keeps is
// forgotten, so thousands of portals cost what is in use.
func (a *OAuthApp) Client(ctx context.Context, memberID string) (*Client, error) {
	g, err := a.load(ctx, memberID)
	if err != nil {
		return nil, err
	}
	if t := a.troubleOf(g); t.dead() {
		return nil, t.err
	}
	return a.client(g)
}

// ForEvent returns a client for the portal and the bot of an event. It acts with
// the stored grant, that is for the user who installed the application. Only
// when nothing is stored, the event's own tokens serve: the bot's, or those of the
// acting user. They last an hour and are not renewed. Without any the error is
// [ErrNotFound].
func (a *OAuthApp) ForEvent(ctx context.Context, ev Event) (*Client, error) {
	var bot EventAuth
	switch ev := ev.(type) {
	case interface{ Bot() EventBot }:
		bot = ev.Bot().Auth
	case interface{ BotAuth() EventAuth }: // of the second generation, where Bot is a field
		bot = ev.BotAuth()
	}
	client, err := a.Client(ctx, ev.Meta().Auth.MemberID)
	if errors.Is(err, ErrNotFound) {
		client, err = a.passing(bot, ev.Meta().Auth)
	}
	if err != nil {
		return nil, err
	}
	return client.WithBot(ev.ForBot()), nil
}

// passing returns a client with the first access token of an event. The last of
// auths is the event's own.
func (a *OAuthApp) passing(auths ...EventAuth) (*Client, error) {
	top := auths[len(auths)-1]
	for _, auth := range auths {
		if auth.AccessToken == "" {
			continue
		}
		root := auth.ClientEndpoint
		if root == "" {
			root = top.ClientEndpoint
		}
		token := &oauth2.Token{AccessToken: auth.AccessToken}
		access, err := OAuth{Endpoint: root, Tokens: oauth2.StaticTokenSource(token)}.access()
		if err != nil {
			return nil, err
		}
		access.portal.Name = top.MemberID
		access.portal.Secrets = []string{auth.RefreshToken, top.AccessToken, top.RefreshToken, top.ApplicationToken, a.ClientSecret}
		return newClient(connect(&access, a.options), 0, nil), nil
	}
	return nil, &Error{Description: "no grant of this portal is stored, and the event has no tokens", kind: ErrNotFound}
}

// load reads a grant from the store.
func (a *OAuthApp) load(ctx context.Context, memberID string) (g Grant, err error) {
	if err := a.setup(); err != nil {
		return Grant{}, err
	}
	defer a.caught(&err)
	g, err = a.Store.Load(ctx, memberID)
	switch {
	case errors.Is(err, ErrNotFound):
		return Grant{}, &Error{Description: "no grant of this portal is stored", kind: ErrNotFound}
	case err != nil:
		return Grant{}, storeError("the token store cannot be read", err)
	case g.MemberID != memberID:
		return Grant{}, &Error{Description: "the token store returned the grant of another portal"}
	}
	return g, nil
}

// swap stores a grant.
func (a *OAuthApp) swap(ctx context.Context, old, fresh Grant) (err error) {
	defer a.caught(&err)
	return a.Store.Swap(ctx, old, fresh)
}

// caught turns a panic of the token store or the transport into an error, so that its
// caller goes on and keeps a pair that was not stored. It logs what was thrown only if
// that comes from the runtime, because a text of the store may hold tokens.
func (a *OAuthApp) caught(err *error) {
	thrown := recover()
	if thrown == nil {
		return
	}
	text := fmt.Sprintf("a %T", thrown)
	if e, ok := thrown.(runtime.Error); ok {
		text = e.Error()
	}
	a.options.records().Error("imbot: panic in the token store or the transport", "panic", text, "stack", string(debug.Stack()))
	*err = &Error{Description: "the token store or the transport panicked"}
}

// errStore is the kind of the errors of storeError. Their text may say where the
// store is, so the page, which people on the portal read, does not show it.
var errStore = errors.New("imbot: token store failed")

// storeError wraps an error of the token store. The text of the error may hold
// tokens and is left out, unless it is an [*Error]: that text is this package's.
func storeError(text string, err error) *Error {
	reason := fmt.Sprintf("a %T (its text may hold tokens)", err)
	var own *Error
	switch {
	case errors.As(err, &own):
		reason = own.Error()
	case errors.Is(err, ErrConflict):
		reason = ErrConflict.Error()
	case errors.Is(err, context.DeadlineExceeded):
		reason += ": out of time"
	case errors.Is(err, context.Canceled):
		reason += ": the caller has given up"
	}
	return &Error{Description: text, kind: errStore, cause: secret.Hide(reason, func(target error) bool { return errors.Is(err, target) })}
}

// client returns a client over the state of a portal.
func (a *OAuthApp) client(g Grant) (*Client, error) {
	m, err := a.member(g)
	if err != nil {
		return nil, err
	}
	return newClient(m.conn, 0, nil), nil
}

// server returns the origin of an authorization server if it is trusted.
func (a *OAuthApp) server(endpoint string) (origin string, ok bool) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", false
	}
	for _, s := range a.servers {
		if s == u.Scheme+"://"+strings.ToLower(u.Host) {
			return s, true
		}
	}
	return "", false
}

// serversFor lists the trusted servers that may know a token: the named one, or
// all when none is named.
func (a *OAuthApp) serversFor(endpoint string) []string {
	if endpoint == "" {
		return a.servers
	}
	if s, ok := a.server(endpoint); ok {
		return []string{s}
	}
	return nil
}

func (a *OAuthApp) masked() string {
	return "imbot.OAuthApp{ClientID:" + a.ClientID + ", ClientSecret:" + secret.Mask(a.ClientSecret) + "}"
}

// MarshalText implements [encoding.TextMarshaler] without the secret.
func (a *OAuthApp) MarshalText() ([]byte, error) { return []byte(a.masked()), nil }

// LogValue implements [slog.LogValuer] without the secret.
func (a *OAuthApp) LogValue() slog.Value { return slog.StringValue(a.masked()) }
