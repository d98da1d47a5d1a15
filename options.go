package imbot

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/imbot-go/imbot/internal/rest"
)

// Option changes how a client works. The order of options does not matter.
type Option func(*options) error

type options struct {
	rest.Config

	logger   *slog.Logger // nil: none
	observer func(context.Context, CallInfo)
}

// WithHTTPClient makes the client send its requests through hc, which is copied
// and never changed. Any [http.RoundTripper] (a proxy, a test double) plugs in as its
// Transport; nil is [http.DefaultTransport], as ever. Redirects and the cookie jar of hc
// are not used.
//
// Nothing that keeps addresses may be in it, such as otelhttp or a log of requests: the
// address of a call holds the webhook's secret, and otelhttp exports it as url.full. For
// traces and metrics use [WithObserver], with OpenTelemetry module otelimbot.
//
// Without a Timeout in hc one attempt may take 70 s, a little longer than the
// 60 s after which the portal gives up.
func WithHTTPClient(hc *http.Client) Option {
	return func(o *options) error {
		if hc == nil {
			return invalid("", "WithHTTPClient: nil client")
		}
		o.Transport, o.Timeout = hc.Transport, hc.Timeout
		if o.Transport == nil {
			o.Transport = http.DefaultTransport // what hc would use by itself
		}
		return nil
	}
}

// WithLimiter replaces the limiter; nil switches it off. Without this option
// all clients of the process share one [NewLimiter](2, 50), which is what every
// plan but Enterprise allows.
func WithLimiter(l Limiter) Option {
	return func(o *options) error {
		o.Limiter = l
		return nil
	}
}

// WithRetry replaces the numbers of [Retry]; zero fields keep their default.
// A MaxAttempts of 1 switches repetition off.
func WithRetry(r Retry) Option {
	return func(o *options) error {
		if r.MaxAttempts < 0 || r.MinBackoff < 0 || r.MaxBackoff < 0 {
			return invalid("", "WithRetry: a field is negative")
		}
		if r.MaxBackoff != 0 && r.MaxBackoff < r.MinBackoff {
			return invalid("", "WithRetry: MaxBackoff is shorter than MinBackoff")
		}
		if r.MaxAttempts != 0 {
			o.Retry.MaxAttempts = r.MaxAttempts
		}
		if r.MinBackoff != 0 {
			o.Retry.MinBackoff = r.MinBackoff
			o.Retry.MaxBackoff = max(o.Retry.MaxBackoff, r.MinBackoff)
		}
		if r.MaxBackoff != 0 {
			o.Retry.MaxBackoff = r.MaxBackoff
		}
		return nil
	}
}

// WithLogger makes the client write one debug record for each attempt: method,
// attempt, status, code and duration, never a URL, a parameter or a secret.
// Errors are returned, not logged.
//
// A panic of a limiter, observer, token source or transport of yours goes to the caller.
// Where there is none (a batch of [WithAutoBatch], [KeepTyping]) it becomes the error of
// the calls concerned and an error record with its stack; without this option in
// [slog.Default]. A logger that panics loses its record.
func WithLogger(l *slog.Logger) Option {
	return func(o *options) error {
		if l == nil {
			return invalid("", "WithLogger: nil logger")
		}
		o.logger = calm(l)
		return nil
	}
}

// WithObserver makes the client call f after each attempt, that is after each
// HTTP request. f must be quick and safe for concurrent use.
//
// A batch is one request: f sees the method "batch", with Batch calls inside,
// and none of these calls, unless one is sent by itself afterwards. It is called
// in the goroutine and with the context of the caller; with [WithAutoBatch]
// a batch belongs to no caller, so the context has no values.
func WithObserver(f func(context.Context, CallInfo)) Option {
	return func(o *options) error {
		if f == nil {
			return invalid("", "WithObserver: nil function")
		}
		o.observer = f
		return nil
	}
}

// WithAutoBatch lets concurrent calls travel together, up to fifty in one HTTP
// request, which the portal counts as one: calls that would have to wait for the
// limiter otherwise. It suits a bot that answers many people at the same time.
//
// A call goes out alone and at once when nothing else of this client waits or is
// under way. Otherwise it waits for others, for 5 ms at most, and then for the
// limiter; so the burst is not spent on single calls. Calls to one dialog
// (DIALOG_ID, else CHAT_ID, else MESSAGE_ID) keep their order: the next one waits
// until the one before is done. What cannot travel inside a batch, see
// [Client.DoBatch], goes by itself.
//
// A call keeps its own context, and its own error, with InBatch set. A call that
// leaves early is not sent, also when its batch waits for another try; in a batch on
// the wire its outcome is unknown, and the batch goes on for the others, until all
// have left. Where the portal refuses batch itself or a method in it, calls go singly, for the
// first time behind those that were in the same batch. The price of travelling together: when
// the answer to a batch gets lost, up to fifty calls fail with [ErrOutcomeUnknown] at once.
func WithAutoBatch() Option {
	return func(o *options) error {
		o.AutoBatch = true
		return nil
	}
}

// WithUserAgent replaces the User-Agent header.
func WithUserAgent(s string) Option {
	header := rest.HeaderOf(s) // one for all clients that are given this option
	return func(o *options) error {
		for i := range len(s) {
			if s[i] < ' ' || s[i] == 0x7f {
				return invalid("", "WithUserAgent: control character")
			}
		}
		if s == "" {
			return invalid("", "WithUserAgent: empty")
		}
		o.Header = header
		return nil
	}
}

// records is where records go.
func (o *options) records() *slog.Logger {
	if o.logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.logger
}

// Panicked logs a panic of code of the user, which its text has. Nobody else would be
// told, so without a logger the default one is.
func (o *options) Panicked(text string, stack []byte) {
	logger := o.logger
	if logger == nil {
		logger = calm(slog.Default())
	}
	logger.Error("imbot: "+text, "stack", string(stack))
}

// calm returns a logger whose records are lost when its handler panics: it logs in
// places where a panic would end the program.
func calm(l *slog.Logger) *slog.Logger { return slog.New(calmHandler{l.Handler()}) }

type calmHandler struct{ slog.Handler }

func (h calmHandler) Enabled(ctx context.Context, level slog.Level) bool {
	defer func() { _ = recover() }()
	return h.Handler.Enabled(ctx, level)
}

func (h calmHandler) Handle(ctx context.Context, record slog.Record) error {
	defer func() { _ = recover() }()
	return h.Handler.Handle(ctx, record)
}

func (h calmHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return calmHandler{h.Handler.WithAttrs(attrs)}
}

func (h calmHandler) WithGroup(name string) slog.Handler {
	return calmHandler{h.Handler.WithGroup(name)}
}

// Report tells the observer and the log about an attempt.
func (o *options) Report(ctx context.Context, a rest.Attempt) {
	if o.observer != nil {
		info := CallInfo{Method: a.Method, Attempt: a.Number, Batch: a.Batch, StatusCode: a.StatusCode, Duration: a.Took, Waited: a.Waited}
		if a.Failure != nil {
			info.Err = failure(a.Failure)
		}
		info.Operating, info.OperatingResetAt = a.Operating()
		o.observer(ctx, info)
	}
	if o.logger != nil && o.logger.Enabled(ctx, slog.LevelDebug) {
		attrs := []slog.Attr{slog.String("method", a.Method), slog.Int("attempt", a.Number),
			slog.Int("status", a.StatusCode), slog.Duration("took", a.Took), slog.Duration("waited", a.Waited)}
		if a.Batch > 0 {
			attrs = append(attrs, slog.Int("batch", a.Batch))
		}
		if a.Failure != nil {
			attrs = append(attrs, slog.String("code", a.Failure.Code))
		}
		o.logger.LogAttrs(ctx, slog.LevelDebug, "imbot call", attrs...)
	}
}

// Retry says how often and after which waits a call is sent again. Whether it
// may be sent again is not a setting: see the package comment. A Retry-After of
// whoever refuses is obeyed, up to MaxBackoff.
type Retry struct {
	MaxAttempts int           // default 4; 1: never again
	MinBackoff  time.Duration // default 1 s; doubled with each attempt, jittered
	MaxBackoff  time.Duration // default 30 s
}

// CallInfo describes one attempt of a call.
type CallInfo struct {
	Method           string
	Attempt          int           // from 1
	Batch            int           // how many calls are inside; 0: it is no batch
	StatusCode       int           // 0 when no answer came
	Err              error         // nil after a result
	Duration         time.Duration // from sending to the end of the answer
	Waited           time.Duration // before sending, for the limiter and the method's operating time; with WithAutoBatch also for other calls
	Operating        time.Duration // the method's sum over the last ten minutes, as the portal counts it; 0 when unknown (livecheck: operating). Of a batch: the greatest of its calls' sums
	OperatingResetAt time.Time     // when that sum drops; zero when unknown
}
