package imbotv2

import (
	"context"
	"errors"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/poll"
	"github.com/imbot-go/imbot/internal/rest"
)

// get is one poll. It is no [imbot.Repeater]: the next poll repeats it, and the calls of a
// batch whose answer got lost must not be sent again singly.
type get struct {
	imbot.Returns[EventGetResult]

	BotID    imbot.ID `json:"botId"`
	BotToken string   `json:"botToken,omitempty"` // where bots with tokens of their own travel together
	Offset   int64    `json:"offset,omitempty"`
	Limit    int      `json:"limit"`
}

// Method names the REST method.
func (get) Method() string { return EventGetRequest{}.Method() }

// Batched implements the interface of package rest: a portal that refuses polls in a batch is polled
// more slowly.
func (get) Batched() {}

// Decode reads the result as an [EventGetRequest] does.
func (get) Decode(result []byte) (EventGetResult, error) { return EventGetRequest{}.Decode(result) }

// Secrets implements [imbot.Secretive].
func (g get) Secrets() []string { return []string{g.BotToken} }

func newGet(ask poll.Ask[*bot]) get {
	return get{BotID: ask.Bot.id, BotToken: ask.Bot.client.whose().token, Offset: ask.Offset, Limit: ask.Limit}
}

// fetchTime bounds a poll, which a portal answers within a second. A laptop that wakes up has
// connections that nobody answers.
const fetchTime = 30 * time.Second

// fetch polls bots of one portal and account in one request.
func fetch(ctx context.Context, asks []poll.Ask[*bot]) []poll.Answer[*fetched] {
	ctx, cancel := context.WithTimeout(imbot.WithClass(ctx, imbot.ClassAnswer), fetchTime) // a person waits for it
	defer cancel()
	if len(asks) == 1 {
		return []poll.Answer[*fetched]{fetchOne(ctx, asks[0])}
	}
	batch := imbot.NewBatch()
	pending := make([]*imbot.Pending[EventGetResult], len(asks))
	carrier := asks[0].Bot
	for i, ask := range asks {
		pending[i] = imbot.Queue(batch, newGet(ask))
		if ask.Bot.client.whose().token == "" {
			carrier = ask.Bot // who names no token gets that of the client which sends the batch
		}
	}
	whole := carrier.client.base.DoBatch(ctx, batch)
	answers := make([]poll.Answer[*fetched], len(asks))
	unbatched := false
	for i, ask := range asks {
		result, err := pending[i].Result()
		switch {
		case err == nil:
			answers[i] = answerOf(result)
		case whole != nil:
			answers[i] = failed(whole)
		case unbatched && refusesBatch(err):
			answers[i] = poll.Answer[*fetched]{Err: err, Means: poll.Unbatched}
		case meaning(err) != poll.End:
			answers[i] = failed(err)
		default:
			// After a command that failed the code of another one's error is a hint only,
			// and a portal may know the method but not in a batch (livecheck: v2-in-batch).
			// So ask again, singly.
			answers[i] = fetchOne(ctx, ask)
			if refusesBatch(err) && answers[i].Err == nil {
				unbatched = true
				answers[i] = poll.Answer[*fetched]{Err: err, Means: poll.Unbatched} // what it brought is shown again
			}
		}
	}
	return answers
}

func fetchOne(ctx context.Context, ask poll.Ask[*bot]) (answer poll.Answer[*fetched]) {
	err := surely(ctx, func(ctx context.Context) error {
		result, err := imbot.Do(ctx, ask.Bot.client.base, newGet(ask))
		answer = answerOf(result)
		return err
	})
	if err != nil {
		return failed(err)
	}
	return answer
}

// surely calls do, and once more when its error would end a bot: in an automatic batch it may have the code of
// another call, outside of one it has its own.
func surely(ctx context.Context, do func(context.Context) error) error {
	err := do(ctx)
	var e *imbot.Error
	if meaning(err) == poll.End && errors.As(err, &e) && e.InBatch {
		err = do(rest.Alone(ctx))
	}
	return err
}

// answerOf takes the events of a page. They are decoded when they are handed over, because most
// pages show some again.
func answerOf(page EventGetResult) poll.Answer[*fetched] {
	answer := poll.Answer[*fetched]{Next: page.NextOffset, More: page.HasMore}
	for _, item := range page.Events {
		answer.Items = append(answer.Items, poll.Item[*fetched]{ID: item.EventID, Date: item.Date, Event: &fetched{item: item}})
	}
	return answer
}

// failed is the answer to a poll that failed.
func failed(err error) poll.Answer[*fetched] {
	return poll.Answer[*fetched]{Err: err, Means: meaning(err)}
}

// meaning says what an error means for the queue of a bot. What is not listed is waited
// out.
func meaning(err error) poll.Meaning {
	if errors.Is(err, imbot.ErrTooLarge) {
		return poll.TooLong
	}
	for _, end := range []error{
		ErrBotNotFound, ErrBotOwnership, ErrBotTokenNotSpecified, ErrBotIDRequired, // the bot
		imbot.ErrInvalidCredentials, imbot.ErrAuthorization, imbot.ErrInsufficientScope, // a webhook
		imbot.ErrApplicationNotFound, imbot.ErrNotInstalled, imbot.ErrOAuth, imbot.ErrReinstall, imbot.ErrInvalidGrant, // an application
		imbot.ErrPortalMoved, imbot.ErrMethodNotFound, imbot.ErrBatchMethodNotAllowed, // the portal
		imbot.ErrInvalid, // the program
	} {
		if errors.Is(err, end) {
			return poll.End
		}
	}
	return poll.Wait
}

// refusesBatch reports whether an error may mean that the portal takes the method, but not
// in a batch.
func refusesBatch(err error) bool {
	return errors.Is(err, imbot.ErrMethodNotFound) || errors.Is(err, imbot.ErrBatchMethodNotAllowed)
}
