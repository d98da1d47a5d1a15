package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"

	"github.com/imbot-go/imbot"
)

func events(out io.Writer) {
	body := must(os.ReadFile("../testdata/events/" + "messageadd_private.form"))
	form := must(url.ParseQuery(string(body)))
	token := imbot.ApplicationToken(form.Get("auth[application_token]"))
	parse := func(context.Context) error {
		r := httptest.NewRequest(http.MethodPost, "/events", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		ev, err := imbot.ParseEvent(r, token)
		if err == nil && ev.(*imbot.MessageAddEvent).Params.Message == "" {
			err = fmt.Errorf("no message")
		}
		return err
	}
	query := func(context.Context) error {
		_, err := url.ParseQuery(string(body))
		return err
	}
	request := func(context.Context) error {
		r := httptest.NewRequest(http.MethodPost, "/events", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return nil
	}
	q, p, none := bench(query), bench(parse), bench(request)
	for range rounds - 1 {
		if r := bench(query); r.NsPerOp() < q.NsPerOp() {
			q = r
		}
		if r := bench(parse); r.NsPerOp() < p.NsPerOp() {
			p = r
		}
		if r := bench(request); r.NsPerOp() < none.NsPerOp() {
			none = r
		}
	}
	net := p.NsPerOp() - none.NsPerOp()
	fmt.Fprintf(out, "\n### A message event of %d bytes\n\n| | time | × | allocations |\n|---|--:|--:|--:|\n"+
		"| url.ParseQuery | %.1f µs | 1.00 | %d |\n| imbot.ParseEvent: read, decode, verify (without making the test's request) | %.1f µs | %.2f | %d |\n",
		len(body), float64(q.NsPerOp())/1e3, q.AllocsPerOp(), float64(net)/1e3, float64(net)/float64(q.NsPerOp()), p.AllocsPerOp()-none.AllocsPerOp())
}
