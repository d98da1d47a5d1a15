package otelimbot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
	"github.com/imbot-go/imbot/otelimbot"
)

const (
	clientID = "a-long-random-client-id"
	eventURL = "https://bot.example.com/a-secret-path"
)

// telemetry is what a program would export.
type telemetry struct {
	tracer trace.Tracer
	meter  metric.Meter
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
}

func newTelemetry() *telemetry {
	o := &telemetry{spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	o.tracer = sdktrace.NewTracerProvider(sdktrace.WithSyncer(o.spans)).Tracer("bot")
	o.meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader)).Meter("bot")
	return o
}

// metrics are the points of a histogram, as "attributes count sum".
func (o *telemetry) metrics(t *testing.T, name string) []string {
	var all metricdata.ResourceMetrics
	require.NoError(t, o.reader.Collect(t.Context(), &all))
	var points []string
	for _, m := range all.ScopeMetrics[0].Metrics {
		if m.Name == name {
			for _, p := range m.Data.(metricdata.Histogram[float64]).DataPoints {
				points = append(points, fmt.Sprint(p.Attributes.Encoded(attribute.DefaultEncoder()), " ", p.Count, " ", p.Sum))
			}
		}
	}
	slices.Sort(points)
	return points
}

func (o *telemetry) last() tracetest.SpanStub {
	spans := o.spans.GetSpans()
	return spans[len(spans)-1]
}

// text is all that would be exported.
func (o *telemetry) text(t *testing.T) string {
	var all metricdata.ResourceMetrics
	require.NoError(t, o.reader.Collect(t.Context(), &all))
	points, err := json.Marshal(all)
	require.NoError(t, err)
	return fmt.Sprintf("%+v\n%+v\n%s", o.spans.GetSpans(), all, points)
}

func observed(t *testing.T, portal *imbottest.Portal, o *telemetry, auth imbot.Auth, more ...imbot.Option) *imbot.Client {
	client, err := imbot.NewClient(auth, append(more, imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil),
		imbot.WithRetry(imbot.Retry{MaxAttempts: 2}), imbot.WithObserver(otelimbot.Observer(o.tracer, o.meter)))...)
	require.NoError(t, err)
	return client
}

func TestACallIsASpanBelowItsEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, portal := newTelemetry(), imbottest.NewPortal()
		defer portal.Close()
		client := observed(t, portal, o, portal.Webhook(clientID))
		bot := &imbot.EventHandler{Verifier: portal.Webhook(clientID).Verifier(), Middleware: []imbot.Middleware{otelimbot.Events(o.tracer, o.meter)}}
		portal.Serve(eventURL, bot)
		id, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "x", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "X"}})
		require.NoError(t, err)
		bot.OnMessage = func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			_, err := client.WithBot(id).Message.Add(ctx, ev.Reply("Hello."))
			return err
		}
		o.spans.Reset()
		anna := portal.AddUser("Anna", "")
		portal.Fail("imbot.message.add", imbottest.Fault{Status: 503, Code: "QUERY_LIMIT_EXCEEDED", Delay: time.Second})
		portal.Fail("imbot.message.add", imbottest.Fault{Nth: 2, Delay: 2 * time.Second})
		_, err = portal.Ask(t.Context(), anna, imbot.UserDialog(id), "Hi!")
		require.NoError(t, err)
		require.NoError(t, bot.Idle(t.Context()))

		spans := o.spans.GetSpans()[1:] // the bot has joined a chat
		require.Len(t, spans, 3)
		first, second, event := spans[0], spans[1], spans[2]
		require.Equal(t, []string{"imbot.message.add", "imbot.message.add", "ONIMBOTMESSAGEADD"}, []string{first.Name, second.Name, event.Name})
		require.Equal(t, time.Second, first.EndTime.Sub(first.StartTime))
		require.Equal(t, 2*time.Second, second.EndTime.Sub(second.StartTime))
		require.True(t, second.StartTime.After(first.EndTime), "the pause is in neither")
		require.Equal(t, event.EndTime, second.EndTime)
		for _, s := range spans[:2] {
			require.Equal(t, event.SpanContext.SpanID(), s.Parent.SpanID())
			require.Equal(t, trace.SpanKindClient, s.SpanKind)
		}
		require.Equal(t, sdktrace.Status{Code: codes.Error, Description: "QUERY_LIMIT_EXCEEDED"}, first.Status)
		require.Equal(t, codes.Unset, second.Status.Code)
		require.Contains(t, first.Attributes, attribute.Int("http.response.status_code", 503))
		require.Contains(t, second.Attributes, attribute.Int("imbot.attempt", 2))
		require.Contains(t, event.Attributes, attribute.String("imbot.dialog", string(imbot.UserDialog(anna))))
		require.Contains(t, event.Attributes, attribute.Int64("imbot.author", int64(anna)))
		require.Contains(t, event.Attributes, attribute.Int64("imbot.bot", int64(id)))
		require.Equal(t, []string{
			"error.type=QUERY_LIMIT_EXCEEDED,imbot.method=imbot.message.add 1 1",
			"imbot.method=imbot.message.add 1 2", "imbot.method=imbot.register 1 0",
		}, o.metrics(t, "imbot.call.duration"))
		require.Equal(t, []string{"imbot.method=imbot.message.add 2 0", "imbot.method=imbot.register 1 0"}, o.metrics(t, "imbot.call.waited"))
		require.Len(t, o.metrics(t, "imbot.event.duration"), 2)
	})
}

func TestOfAnErrorOnlyItsTypeIsTold(t *testing.T) {
	o := newTelemetry()
	around := otelimbot.Events(o.tracer, o.meter)
	for kind, err := range map[string]error{
		"":                nil,
		"canceled":        fmt.Errorf("secret: %w", context.Canceled),
		"timeout":         context.DeadlineExceeded,
		"other":           errors.New("secret"),
		"outcome_unknown": fmt.Errorf("secret: %w", imbot.ErrOutcomeUnknown),
		"ACCESS_ERROR":    fmt.Errorf("secret: %w", &imbot.Error{Code: imbot.ErrAccess, StatusCode: 400}),
		"404":             &imbot.Error{Code: "the page, \"secret\", is gone", StatusCode: 404},
		"502":             &imbot.Error{StatusCode: 502},
	} {
		got := around(func(context.Context, imbot.Event) error { return err })(t.Context(), &imbot.BotDeleteEvent{})
		require.Equal(t, err, got)
		require.Equal(t, kind, o.last().Status.Description)
	}
	require.NotContains(t, o.text(t), "secret")
	require.Panics(t, func() {
		_ = around(func(context.Context, imbot.Event) error { panic("secret") })(t.Context(), &imbot.BotDeleteEvent{})
	})
	require.Equal(t, "panic", o.last().Status.Description)
	require.NotContains(t, o.text(t), "secret")
}

// Everything that a program exports is searched for all that it must not.
func TestNoSpanAndNoMetricHoldsASecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, portal := newTelemetry(), imbottest.NewPortal()
		defer portal.Close()
		hook, app := portal.Webhook(clientID), portal.OAuth("local.1")
		token, err := app.Tokens.Token()
		require.NoError(t, err)
		address, err := url.Parse(hook.URL)
		require.NoError(t, err)
		path := strings.Split(strings.Trim(address.Path, "/"), "/")
		secrets := []string{path[len(path)-1], address.Host, clientID, token.AccessToken, "a-secret-path", "personal", "$result"}

		var told []string // by events
		for n, auth := range []imbot.Auth{hook, app} {
			client := observed(t, portal, o, auth, imbot.WithAutoBatch())
			bot := &imbot.EventHandler{Verifier: verifyAll{}, Logger: slog.New(slog.DiscardHandler),
				Middleware: []imbot.Middleware{otelimbot.Events(o.tracer, o.meter)}}
			handler := fmt.Sprint(eventURL, n)
			portal.Serve(handler, bot)
			id, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "x", EventHandler: handler, Properties: imbot.BotProperties{Name: "personal"}})
			require.NoError(t, err)
			client = client.WithBot(id)
			bot.OnMessage = func(ctx context.Context, ev *imbot.MessageAddEvent) error {
				a := ev.Meta().Auth
				told = append(told, a.AccessToken, a.RefreshToken, a.ApplicationToken)
				if strings.HasSuffix(ev.Params.Message, "panic") {
					panic(a)
				}
				_, err := client.Message.Add(ctx, ev.Reply("personal $result[x]"))
				return errors.Join(err, fmt.Errorf("%q %s", told, hook.URL))
			}
			anna, echo := portal.AddUser("personal", ""), hook.URL+" "+clientID+" "+token.AccessToken
			for _, fault := range []imbottest.Fault{
				{}, {Status: 400, Code: "ACCESS_ERROR", Description: echo}, {Status: 500, Body: echo}, {Status: 200, Body: echo},
				{Status: 400, Code: echo}, {Cut: imbottest.BeforeRun}, {Cut: imbottest.AfterRun},
			} {
				portal.Fail("*", fault)
				_, _ = client.Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: imbot.UserDialog(anna), Message: "personal"})
			}
			batch := imbot.NewBatch()
			imbot.Queue(batch, imbot.MessageAddRequest{DialogID: imbot.UserDialog(anna), Message: "personal"})
			imbot.Queue(batch, imbot.MessageAddRequest{DialogID: "chat4711", Message: "personal"})
			require.NoError(t, client.DoBatch(t.Context(), batch))
			require.Error(t, client.Call(t.Context(), "no.such.method", map[string]any{"x": clientID}, nil))
			for _, text := range []string{"personal", "personal panic"} {
				_, err := portal.Say(t.Context(), anna, imbot.UserDialog(id), text)
				require.NoError(t, err)
			}
			require.NoError(t, portal.Idle(t.Context()))
			require.NoError(t, bot.Shutdown(t.Context()))
			if n == 1 {
				portal.Fail("*", imbottest.Fault{Expire: true})
				require.ErrorIs(t, client.Call(t.Context(), "profile", nil, nil), imbot.ErrExpiredToken)
				portal.Fail("*", imbottest.Fault{Rename: true})
				require.ErrorContains(t, client.Call(t.Context(), "profile", nil, nil), "has moved")
			}
		}
		pollOnce(t, portal, o)
		text := o.text(t)
		require.NotEmpty(t, told)
		for _, secret := range append(secrets, told...) {
			if secret != "" {
				require.False(t, strings.Contains(text, secret), secret)
			}
		}
		for _, there := range []string{"batch", "no.such.method", "ONIMBOTMESSAGEADD", "panic", "ACCESS_ERROR", "imbot.message.add", "ONIMBOTV2MESSAGEADD", "imbot.v2.Event.get"} {
			require.True(t, strings.Contains(text, there), "%s was traced", there)
		}
	})
}

// pollOnce lets a bot of the second generation answer one message.
func pollOnce(t *testing.T, portal *imbottest.Portal, o *telemetry) {
	client := imbotv2.From(observed(t, portal, o, portal.Webhook(clientID)))
	bot, err := imbotv2.EnsureBot(t.Context(), client, imbotv2.BotRegisterRequest{Code: "polls", Properties: imbotv2.BotProperties{Name: "personal"}})
	require.NoError(t, err)
	client = client.WithBot(bot.ID)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	h := &imbotv2.EventHandler{Middleware: []imbot.Middleware{otelimbot.Events(o.tracer, o.meter)}}
	h.OnMessage = func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
		_, err := client.Reply(ctx, ev, "personal")
		return err
	}
	go func() { ended <- imbotv2.Poll(ctx, h, client) }()
	_, err = portal.Ask(ctx, portal.AddUser("personal", ""), imbot.UserDialog(bot.ID), "personal")
	require.NoError(t, err)
	stop()
	require.NoError(t, <-ended)
}

type verifyAll struct{}

func (verifyAll) Verify(context.Context, *imbot.EventMeta) error { return nil }
