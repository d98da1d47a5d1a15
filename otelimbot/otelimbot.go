// Package otelimbot makes spans and metrics of OpenTelemetry out of what a bot's clients
// and event handlers do, of both generations:
//
//	client, err := imbot.NewClient(hook, imbot.WithObserver(otelimbot.Observer(tracer, meter)))
//	bot := &imbot.EventHandler{Middleware: []imbot.Middleware{otelimbot.Events(tracer, meter)}, …}
//
// No secret, no address, no parameter and no text, of a person or of an error, gets into
// either: of an error only its type.
package otelimbot

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/imbot-go/imbot"
)

// Observer makes a span of each HTTP request, below that of the context, and the
// histograms imbot.call.duration and imbot.call.waited. The waiting for the limiter is
// before the span. A batch is one span; one of imbot.WithAutoBatch belongs to no caller, so
// its span has no parent.
func Observer(tracer trace.Tracer, meter metric.Meter) func(context.Context, imbot.CallInfo) {
	duration := seconds(meter, "imbot.call.duration", "from sending a request to the end of its answer")
	waited := seconds(meter, "imbot.call.waited", "before sending, for the limiter")
	return func(ctx context.Context, c imbot.CallInfo) {
		end := time.Now()
		method := attribute.String("imbot.method", c.Method)
		_, span := tracer.Start(ctx, c.Method, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(end.Add(-c.Duration)),
			trace.WithAttributes(method, attribute.Int("imbot.attempt", c.Attempt), attribute.Float64("imbot.waited", c.Waited.Seconds())))
		if c.Batch > 0 {
			span.SetAttributes(attribute.Int("imbot.batch.size", c.Batch))
		}
		if c.StatusCode > 0 {
			span.SetAttributes(attribute.Int("http.response.status_code", c.StatusCode))
		}
		attrs := metric.WithAttributes(append(fail(span, c.Err), method)...)
		span.End(trace.WithTimestamp(end))
		duration.Record(ctx, c.Duration.Seconds(), attrs)
		waited.Record(ctx, c.Waited.Seconds(), metric.WithAttributes(method))
	}
}

// Events makes a span around each event, which is the parent of its callback's calls, and the
// histogram imbot.event.duration. Spans name the portal, bot, dialog and author by their ids.
func Events(tracer trace.Tracer, meter metric.Meter) imbot.Middleware {
	duration := seconds(meter, "imbot.event.duration", "from the beginning of a callback to its end")
	return func(next imbot.Callback) imbot.Callback {
		return func(ctx context.Context, ev imbot.Event) (err error) {
			start, name := time.Now(), attribute.String("imbot.event", ev.Meta().Name)
			ctx, span := tracer.Start(ctx, ev.Meta().Name, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(name,
				attribute.String("imbot.portal", ev.MemberID()), attribute.Int64("imbot.bot", int64(ev.ForBot())),
				attribute.String("imbot.dialog", string(ev.Dialog())), attribute.Int64("imbot.author", int64(ev.AuthorID()))))
			err = errPanic
			defer func() {
				duration.Record(ctx, time.Since(start).Seconds(), metric.WithAttributes(append(fail(span, err), name)...))
				span.End()
			}()
			return next(ctx, ev)
		}
	}
}

// errPanic is what becomes of a callback that does not return.
var errPanic = errors.New("panic")

// seconds makes a histogram. An error of the meter goes to the handler of OpenTelemetry.
func seconds(meter metric.Meter, name, what string) metric.Float64Histogram {
	h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 30, 60))
	if err != nil {
		otel.Handle(err)
	}
	return h
}

// fail marks the span of a failure and returns the attribute of its type.
func fail(span trace.Span, err error) []attribute.KeyValue {
	if err == nil {
		return nil
	}
	kind := "other"
	var e *imbot.Error
	switch errors.As(err, &e); {
	case err == errPanic:
		kind = "panic"
	case e != nil && isCode(e.Code):
		kind = string(e.Code) // the SDK has cut the call's own secrets out
	case errors.Is(err, context.Canceled):
		kind = "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		kind = "timeout"
	case errors.Is(err, imbot.ErrOutcomeUnknown):
		kind = "outcome_unknown"
	case e != nil && e.StatusCode > 0:
		kind = strconv.Itoa(e.StatusCode)
	}
	attr := attribute.String("error.type", kind)
	span.SetAttributes(attr)
	span.SetStatus(codes.Error, kind)
	return []attribute.KeyValue{attr}
}

// isCode reports whether a code looks like one: anybody on the way may have written it.
func isCode(code imbot.ErrorCode) bool {
	other := func(r rune) bool {
		return r != '_' && (r < '0' || '9' < r) && (r < 'A' || 'Z' < r) && (r < 'a' || 'z' < r)
	}
	return code != "" && len(code) <= 50 && !strings.ContainsFunc(string(code), other)
}
