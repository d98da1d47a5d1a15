package imbot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/imbot-go/imbot/internal/probe"
	"github.com/imbot-go/imbot/internal/rest"
)

// DiagnoseRequest says what [Diagnose] looks at.
type DiagnoseRequest struct {
	BotCode      string // of the bot whose events do not arrive; empty: no bot is looked at
	EventHandler string // handler URL of the bot; empty: it is not looked at
}

// Report is what [Diagnose] has found.
type Report struct {
	BotID    ID        // of the bot, 0 when it was not found
	Findings []Finding // what stands in the way of events, or changes texts; empty: nothing that can be seen from here
}

// Finding is one reason why events may not arrive.
type Finding struct {
	Problem string
	Advice  string // what to do about it
	Guess   bool   // it cannot be proven from here, or may be meant so
}

// String returns the report as text for people.
func (r Report) String() string {
	if len(r.Findings) == 0 {
		return "Nothing stands in the way of events that can be seen from here.\n"
	}
	var b strings.Builder
	for i, f := range r.Findings {
		if i > 0 {
			b.WriteByte('\n')
		}
		maybe := ""
		if f.Guess {
			maybe = "Perhaps: "
		}
		fmt.Fprintf(&b, "%d. %s%s\n   %s\n", i+1, maybe, f.Problem, f.Advice)
	}
	return b.String()
}

func (r *Report) add(problem, advice string) {
	r.Findings = append(r.Findings, Finding{Problem: problem, Advice: advice})
}

func (r *Report) guess(problem, advice string) {
	r.Findings = append(r.Findings, Finding{Problem: problem, Advice: advice, Guess: true})
}

// Diagnose says why the events of a bot do not arrive: the portal drops what it
// cannot deliver without a word, so the reasons have to be looked for. It looks at
// the credentials, the installation, the bot and its handler URL, from where the
// program runs, and changes nothing. It takes up to two dozen calls, and one GET of the
// handler URL and one POST of an event that proves nothing. It also names the proactive
// filter of a box, which changes texts.
//
// The error is that of ctx; everything else is in the report.
func Diagnose(ctx context.Context, client *Client, req DiagnoseRequest) (Report, error) {
	var r Report
	r.clientID(client.access)
	ok, scopeKnown := r.application(ctx, client)
	switch {
	case ok && req.BotCode != "":
		r.bot(ctx, client, req.BotCode)
	case ok && !scopeKnown && (client.portal.Tokens != nil || client.clientID != ""):
		if _, err := client.Bot.List(ctx, BotListRequest{}); err != nil { // only a call tells whether the scope is there
			r.refused("imbot.bot.list", err)
		}
	}
	if req.EventHandler != "" {
		for _, f := range probe.Handler(ctx, rest.Plain(client.options.Transport), req.EventHandler) {
			r.Findings = append(r.Findings, Finding(f))
		}
	}
	if ok && probe.LooksLikeBox(client.portal.Name) {
		r.guess("The portal is not one of the vendor's cloud, so it may have a proactive filter, which no answer tells: it breaks up words of SQL and scripts in texts, \"select an item from the list\" becomes \"sel ect an item fr om the list\".",
			"Send that sentence to yourself. If it arrives changed, ask the administrator to exempt /rest/ from the proactive filter (security settings), or to switch it off.")
	}
	return r, ctx.Err()
}

// goodClientID is the length from which on a client id cannot be guessed.
const goodClientID = 16

func (r *Report) clientID(c *access) {
	switch {
	case c.portal.Tokens != nil:
	case c.clientID == "":
		r.add("The webhook has no ClientID, so the portal cannot tell whose bots it is about and refuses the imbot methods.",
			"Set Webhook.ClientID to a long random text, the same one each time.")
	case len(c.clientID) < goodClientID:
		r.add(fmt.Sprintf("The ClientID has only %d characters. It is what proves that an event is genuine, so it must not be guessed.", len(c.clientID)),
			"Take a random one of 32 characters. The bot has to be registered anew with it; the old ClientID is needed to unregister the old bot.")
	}
}

// application looks at the credentials and the installation. It reports whether
// further calls make sense, and whether the portal has told the scopes.
func (r *Report) application(ctx context.Context, client *Client) (ok, scopeKnown bool) {
	var info struct {
		Scope          []string `json:"SCOPE"` // for a webhook
		Installed      Flag     `json:"INSTALLED"`
		PaymentExpired Flag     `json:"PAYMENT_EXPIRED"`
	}
	err := client.Call(ctx, "app.info", nil, &info)
	e := (*Error)(nil)
	switch {
	case err == nil:
	case errors.Is(err, ErrAccessDenied), errors.Is(err, ErrMethodNotFound), errors.As(err, &e) && e.Code == "" && e.StatusCode == http.StatusOK:
		return true, false // some portals do not tell a webhook, or tell in another form
	default:
		r.refused("app.info", err)
		return false, false
	}
	if info.Installed == No {
		r.add("The installation of the application is not finished. Until then the portal sends no events at all.",
			"Open the application in the portal as an administrator and let its page call BX24.installFinish(); OAuthApp.InstallPage does that. An application without a page has to be marked as such in its settings.")
	}
	if info.PaymentExpired.Bool() {
		r.add("The paid or trial time of the application is over. The portal sends no events and refuses calls.",
			"Pay for the application, or extend its trial. The tokens stay good.")
	}
	for _, scope := range info.Scope {
		if scope == "imbot" {
			return true, true
		}
	}
	if info.Scope != nil {
		r.missingScope()
		return false, true
	}
	return true, false
}

func (r *Report) missingScope() {
	r.add("The credentials lack the scope imbot, so the portal refuses everything that concerns bots.",
		"Add \"Create and manage chat bots\" (imbot) to the permissions of the webhook or application. An application has to be installed again after that.")
}

// refused says why a call failed.
func (r *Report) refused(method string, err error) {
	for _, known := range []struct {
		target          error
		problem, advice string
	}{
		{ErrReinstall, "The grant of this portal is dead: its tokens are too old, or the application was uninstalled.", "Install the application again, or let an administrator authorize it again."},
		{ErrInvalidCredentials, "The webhook does not exist (any more), or its URL is wrong.", "Look it up in the portal under Developer resources, and copy its URL again: it changes when its owner or its permissions do."},
		{ErrExpiredToken, "The access token is too old, and nothing renews it.", "Use OAuthApp, or a token source with a Renew method."},
		{ErrInvalidToken, "The access token is unknown to the authorization server.", "Use the tokens of this portal; if they are, install the application again."},
		{ErrAuthorization, "The user of the webhook or token cannot log in: dismissed or blocked.", "Make a webhook as another user, or let another administrator install the application."},
		{ErrPaymentRequired, "The paid or trial time of the application is over. The portal sends no events and refuses calls.", "Pay for the application, or extend its trial. The tokens stay good."},
		{ErrNotInstalled, "The application is not installed on this portal.", "Install it."},
		{ErrApplicationNotFound, "The application is not installed on this portal, or it is switched off.", "Install it, or switch it on."},
		{ErrOAuth, "The application is not installed on this portal.", "Install it."},
		{ErrUserAccess, "The application is not opened for the user of the token.", "Let an administrator give that user access to the application."},
		{ErrPortalDeleted, "The portal is closed, deleted or in maintenance.", "Open it in a browser. If it is gone, there is nothing to do; otherwise wait some hours."},
		{ErrPortalMoved, "The portal has a new address.", "Copy the URL of the webhook again. Handler URLs are not concerned."},
		{ErrOverloadLimit, "The vendor has blocked the portal's calls for overload.", "Ask the vendor's support."},
	} {
		if errors.Is(err, known.target) {
			r.add(known.problem, known.advice)
			return
		}
	}
	e := (*Error)(nil)
	switch {
	case errors.Is(err, ErrInsufficientScope):
		r.missingScope()
	case errors.As(err, &e) && e.StatusCode == 0:
		r.guess("The portal cannot be reached from here: "+err.Error(), "Check the address, the network and the proxy of the machine that the bot runs on.")
	default:
		r.add("The portal refused "+method+": "+err.Error(), "The comment of the error code says what helps.")
	}
}

// mostProbes bounds the calls that look for bots of the same application.
const mostProbes = 20

// bot looks for the bot, and for others that share its handlers.
func (r *Report) bot(ctx context.Context, client *Client, code string) {
	bots, err := client.Bot.List(ctx, BotListRequest{})
	if err != nil {
		r.refused("imbot.bot.list", err)
		return
	}
	var foreign ID
	var others []string
	probes := 0
	for _, pass := range []bool{true, false} { // those with the code first
		for _, b := range bots {
			if (b.Code == code) != pass || probes == mostProbes || !pass && r.BotID == 0 {
				continue
			}
			probes++
			ours, err := ownsBot(ctx, client, b.ID)
			switch {
			case err != nil:
				r.refused("imbot.chat.sendTyping", err)
				return
			case pass && ours:
				r.BotID = b.ID
			case pass:
				foreign = b.ID
			case ours:
				others = append(others, b.Code)
			}
		}
	}
	switch {
	case r.BotID != 0:
	case foreign != 0:
		r.add(fmt.Sprintf("The bot %d has the code %.50q, but belongs to another application or CLIENT_ID. Its events go there.", foreign, code),
			"Use the credentials that it was registered with, or another code. EnsureBot refuses such a bot, imbot.register returns its id as if all were well.")
	default:
		r.add(fmt.Sprintf("There is no bot with the code %.50q.", code), "Register it, best with EnsureBot at each start.")
	}
	if len(others) > 0 {
		r.guess("Other bots belong to the same application or CLIENT_ID: "+strings.Join(others, ", ")+". They all have one handler URL for each event, the one of the last registration or update.",
			"If another program or environment registers them, give each a CLIENT_ID or application of its own.")
	}
}
