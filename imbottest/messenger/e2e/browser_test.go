package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// patience is how long a test may take, with the start of the browser.
const patience = 90 * time.Second

// A tab is a page in a browser of its own, with a fresh profile.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	alarms []string // errors, exceptions and dialogs, which the page must not cause
}

// chromium finds the browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no chromium, chromium-browser or google-chrome in PATH")
	}
	t.Skip("no chromium, chromium-browser or google-chrome in PATH")
	return ""
}

// watch is a script that runs in each page before the page's own scripts. It notes
// violations of the security policy, and the time from each key to the next paint.
const watch = `
window.e2e = {violations: [], keys: []};
performance.setResourceTimingBufferSize(10000);
document.addEventListener("securitypolicyviolation", e => e2e.violations.push(e.violatedDirective + " " + e.blockedURI));
document.addEventListener("keydown", e => {
	const pressed = e.timeStamp;
	requestAnimationFrame(() => { // runs before the paint; a message that is sent here arrives after it
		const painted = new MessageChannel();
		painted.port1.onmessage = () => e2e.keys.push(performance.now() - pressed);
		painted.port2.postMessage(null);
	});
}, true);`

// open shows the messenger in a new browser and waits until it is ready.
func open(t *testing.T, url string, width, height int64, flags ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	b := browse(t, url, width, height, flags...)
	b.until(`document.documentElement.dataset.ready === "true" && document.documentElement.dataset.live === "true"`)
	return b
}

// browse shows an address in a new browser.
func browse(t *testing.T, url string, width, height int64, flags ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	path := chromium(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(flags,
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en-US"),
	)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, b.listen))
	b.do(
		chromedp.EmulateViewport(width, height),
		chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
			return err
		}),
		chromedp.Navigate(url),
	)
	return b
}

// listen adds to alarms. It is called by the goroutine that reads from the browser, so it
// must not wait for the browser.
func (b *tab) listen(ev any) {
	alarm := ""
	switch ev := ev.(type) {
	case *page.EventJavascriptDialogOpening:
		alarm = "a dialog opened: " + ev.Message
	case *runtime.EventExceptionThrown:
		alarm = "an exception: " + (&chromedp.ExceptionError{ExceptionDetails: ev.ExceptionDetails}).Error()
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError {
			alarm = fmt.Sprintf("an error in the console: %s %s", ev.Entry.Text, ev.Entry.URL)
		}
	default:
		return
	}
	if alarm != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.alarms = append(b.alarms, alarm)
	}
}

// noAlarms fails the test when there were alarms or violations of the security policy.
func (b *tab) noAlarms() {
	b.t.Helper()
	require.Empty(b.t, eval[[]string](b, `e2e.violations`), "violations of the content security policy")
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b.t, b.alarms)
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.fail(err, "")
	}
}

func (b *tab) fail(err error, waiting string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), 5*time.Second)
	defer cancel()
	seen, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.activeElement.outerHTML.slice(0, 200) + "\n" + document.body.innerText.slice(0, 3000)`))
	b.mu.Lock()
	defer b.mu.Unlock()
	require.NoError(b.t, err, "%s\nthe page shows, focus first:\n%s\nalarms: %q", waiting, seen, b.alarms)
}

// eval returns the value of an expression; it waits for a promise.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.fail(err, expression)
	}
	return v
}

// until waits until an expression is true. It is evaluated again with each frame.
func (b *tab) until(condition string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience/3)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`new Promise(done => {
		const look = () => (`+condition+`) ? done(true) : requestAnimationFrame(look);
		look();
	})`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.fail(err, "waiting for "+condition)
	}
}

// has is an expression: whether a visible element matches a selector and contains a text.
func has(selector, text string) string {
	return `[...document.querySelectorAll(` + quote(selector) + `)].some(e => e.checkVisibility() && e.textContent.includes(` + quote(text) + `))`
}

// sees waits until [has] is true.
func (b *tab) sees(selector, text string) {
	b.t.Helper()
	b.until(has(selector, text))
}

// painted waits until an element is in view, drawn, and where it was one frame before.
// With content-visibility, an element that comes into view is drawn a frame later: a click
// before that hits what is around it, and its size changes.
func (b *tab) painted(selector string) {
	b.t.Helper()
	b.until(has(selector, ""))
	b.until(`(() => {
		const e = document.querySelector(` + quote(selector) + `);
		e?.scrollIntoView({block: "nearest"});
		const before = e2e.place;
		e2e.place = JSON.stringify(e?.getBoundingClientRect());
		return e?.checkVisibility({contentVisibilityAuto: true}) && e2e.place === before;
	})()`)
}

// click clicks on the first element that matches, as a mouse does.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.painted(selector)
	b.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// press presses keys one after the other, each with the modifiers. The text of a key is
// part of its keydown event, as on a keyboard: when the page prevents the default of that,
// the text is not typed.
func (b *tab) press(keys string, modifiers ...chromedp.Modifier) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		for _, r := range keys {
			events := kb.Encode(r)
			down, up := *events[0], *events[len(events)-1]
			down.Type = kb.KeyRawDown
			if len(events) == 3 {
				down.Type, down.Text, down.UnmodifiedText = kb.KeyDown, events[1].Text, events[1].UnmodifiedText
			}
			for _, event := range []input.DispatchKeyEventParams{down, up} {
				for _, m := range modifiers {
					event.Modifiers |= int64(m)
				}
				if _, err := cdp.Call(ctx, target, input.DispatchKeyEvent, event); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// tabTo presses Tab until the focus is on an element that matches. The page has to show
// that it is.
func (b *tab) tabTo(selector string) { b.t.Helper(); b.walk(selector, kb.Tab) }

// tabBackTo is tabTo with Shift+Tab.
func (b *tab) tabBackTo(selector string) {
	b.t.Helper()
	b.walk(selector, kb.Tab, chromedp.ModifierShift)
}

func (b *tab) walk(selector, key string, modifiers ...chromedp.Modifier) {
	b.t.Helper()
	b.until(has(selector, ""))
	for range 100 {
		b.press(key, modifiers...)
		if b.focused(selector) {
			require.True(b.t, eval[bool](b, `(() => {
				const ring = e => { // what shows the focus, on the element or on its form
					const style = e && getComputedStyle(e);
					return style && (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none");
				};
				const e = document.activeElement;
				return e.matches(":focus-visible") && (ring(e) || ring(e.closest("form")));
			})()`), "nobody sees that the focus is on %s", selector)
			return
		}
	}
	b.fail(fmt.Errorf("a hundred times Tab, and the focus was never on %s", selector), "")
}

func (b *tab) focused(selector string) bool {
	b.t.Helper()
	return eval[bool](b, `document.activeElement.matches(`+quote(selector)+`)`)
}

// quote writes a text as a string of JavaScript.
func quote(s string) string {
	b, _ := json.Marshal(s) // text can always be written
	return string(b)
}

// count is an expression: how many elements match a selector and contain a text.
func count(selector, text string) string {
	return `[...document.querySelectorAll(` + quote(selector) + `)].filter(e => e.textContent.includes(` + quote(text) + `)).length`
}
