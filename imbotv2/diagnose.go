package imbotv2

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/imbot-go/imbot"
)

// DiagnoseRequest says what [Diagnose] looks at.
type DiagnoseRequest struct {
	BotCode    string // of the bot whose events do not arrive; empty: no bot is looked at
	WebhookURL string // where a bot in EventModeWebhook is posted to; empty: a program polls
}

const (
	unpolled   = time.Hour       // events that wait for longer are fetched by nobody
	secondLook = 5 * time.Second // after the first one at a queue
)

// Diagnose says why the events of a bot do not arrive, as [imbot.Diagnose] does for the first
// generation: the credentials, the installation and the webhook URL, then whether the portal knows
// imbot.v2, whether the bot is there and ours, whether its event mode is the one of the program,
// and whether somebody reads its queue. It changes nothing and acknowledges nothing. It takes up
// to ten calls, one GET of the URL and one POST of an event that proves nothing, and, when events
// wait, five seconds. It cannot see whether the portal posts to bots of webhooks (livecheck: v2-posts).
//
// The error is that of ctx; everything else is in the report.
//
// REST methods: app.info, imbot.bot.list, imbot.v2.Revision.get, imbot.v2.Bot.get, imbot.v2.Event.get.
func Diagnose(ctx context.Context, c *Client, req DiagnoseRequest) (imbot.Report, error) {
	if c == nil || c.base == nil {
		return imbot.Report{}, invalid("Diagnose: there is no client")
	}
	r, err := imbot.Diagnose(ctx, c.base, imbot.DiagnoseRequest{EventHandler: req.WebhookURL})
	if err != nil {
		return r, err
	}
	d := diagnosis{&r}
	_, err = c.Revision.Get(ctx, RevisionGetRequest{})
	switch {
	case errors.Is(err, imbot.ErrMethodNotFound):
		d.add("The portal does not know imbot.v2: it is older than REST revision 33, of May 2026.", "Update the box, or use the first generation, package imbot.")
	case err != nil:
		d.refused("imbot.v2.Revision.get", err)
	default:
		if req.BotCode != "" {
			d.bot(ctx, c, req)
		}
		d.people(ctx, c)
	}
	return r, ctx.Err()
}

// people looks for the scope of what people have: their events and files. Where the portal does not tell
// the scopes, nothing is known.
func (d diagnosis) people(ctx context.Context, c *Client) {
	var info struct {
		Scope []string `json:"SCOPE"`
	}
	if c.base.Call(ctx, "app.info", nil, &info) == nil && info.Scope != nil && !slices.Contains(info.Scope, "im") {
		d.guess("The credentials lack the scope im, so PollUser and the files of people are refused.", "Add \"Chat and notifications\" (im) to the permissions, if the program uses these.")
	}
}

// diagnosis is a report that is being made.
type diagnosis struct{ *imbot.Report }

func (d diagnosis) add(problem, advice string) {
	d.Findings = append(d.Findings, imbot.Finding{Problem: problem, Advice: advice})
}

func (d diagnosis) guess(problem, advice string) {
	d.Findings = append(d.Findings, imbot.Finding{Problem: problem, Advice: advice, Guess: true})
}

// refused says why a call failed, unless the credentials have been found to be why.
func (d diagnosis) refused(method string, err error) {
	if len(d.Findings) == 0 {
		d.add("The portal refused "+method+": "+err.Error(), "The comment of the error code says what helps.")
	}
}

// bot looks at a bot, and at how it gets its events.
func (d diagnosis) bot(ctx context.Context, c *Client, req DiagnoseRequest) {
	found, err := c.Bot.Get(ctx, BotGetRequest{Code: req.BotCode})
	switch {
	case errors.Is(err, ErrBotNotFound):
		d.add(fmt.Sprintf("There is no bot with the code %.50q.", req.BotCode), "Register it, best with EnsureBot at each start.")
		return
	case errors.Is(err, ErrBotOwnership), err == nil && found.Bot.EventMode == "": // its owner is told the mode
		d.add(fmt.Sprintf("The bot with the code %.50q belongs to another application or bot token. Its events go there.", req.BotCode),
			"Use the credentials that it was registered with, or another code. EnsureBot refuses such a bot.")
		return
	case err != nil:
		d.refused("imbot.v2.Bot.get", err)
		return
	}
	d.BotID = found.Bot.ID
	mode := found.Bot.EventMode
	switch {
	case mode == EventModeFetch && req.WebhookURL != "":
		d.add("The bot is in fetch mode, so the portal posts nothing to the webhook URL.", "Poll, or register it with EventModeWebhook and the URL; EnsureBot does that.")
	case mode == EventModeWebhook && req.WebhookURL == "":
		d.add("The bot is in webhook mode, so its queue stays empty and Poll gets nothing.", "A bot of the first generation is always in it. Let EnsureBot set EventModeFetch, or serve the URL that it was registered with and name it here.")
	case mode == EventModeFetch:
		d.queue(ctx, c.WithBot(found.Bot.ID))
	}
}

// queue looks at what waits, and who fetches it. Without an offset nothing is acknowledged.
func (d diagnosis) queue(ctx context.Context, c *Client) {
	first, err := c.Event.Get(ctx, EventGetRequest{})
	if err != nil {
		d.refused("imbot.v2.Event.get", err)
		return
	}
	if len(first.Events) == 0 {
		return
	}
	oldest := first.Events[0]
	if age := time.Since(oldest.Date); !oldest.Date.IsZero() && age > unpolled {
		d.add(fmt.Sprintf("The oldest event of the bot has waited for %v: nobody polls it. The portal drops events after a day.", age.Round(time.Minute)),
			"Start the program that polls. If it runs, look whether it has the id and the token of this bot, and whether a callback hangs.")
		return
	}
	timer := time.NewTimer(secondLook)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return
	}
	second, err := c.Event.Get(ctx, EventGetRequest{})
	if err == nil && (len(second.Events) == 0 || second.Events[0].EventID > oldest.EventID) {
		d.guess("Some program fetches the events of the bot: between two looks it has acknowledged some.",
			"If that is not the one whose events are missing, there are two, and each gets a part: give the other one a bot or a token of its own, or set Poller.Leader.")
	}
}
