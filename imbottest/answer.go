package imbottest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// answer is an HTTP answer of the portal.
type answer struct {
	status      int
	contentType string
	body        []byte
	file        *world.File // in place of a body
	location    string      // of a redirect
	rest        bool        // of the REST endpoint and not of a web server or proxy before it
	truncated   bool        // Content-Length is one more than the body has, then the connection ends
}

func jsonAnswer(status int, v any) answer {
	body, err := json.Marshal(v)
	if err != nil { // cannot happen: every result can be written as JSON
		status, body = http.StatusInternalServerError, []byte(`{"error":"INTERNAL_SERVER_ERROR","error_description":"Internal server error"}`)
	}
	return answer{status: status, contentType: "application/json; charset=utf-8", body: hexQuotes(body)}
}

// hexQuotes writes ' and " inside strings as \u0027 and \u0022: the portal escapes all
// characters that mean something in HTML, and encoding/json has escaped the others.
func hexQuotes(data []byte) []byte {
	out := make([]byte, 0, len(data)+len(data)/8)
	for i := 0; i < len(data); i++ {
		switch {
		case data[i] == '\'':
			out = append(out, `\u0027`...)
		case data[i] != '\\':
			out = append(out, data[i])
		case data[i+1] == '"':
			out = append(out, `\u0022`...)
			i++
		default: // another escape: both bytes are copied, because the second one can be a backslash
			out = append(out, data[i], data[i+1])
			i++
		}
	}
	return out
}

// htmlPage is the answer of the web server before the portal: a page, no JSON.
func htmlPage(status int) answer {
	body := fmt.Sprintf("<html><body><h1>%d %s</h1></body></html>", status, http.StatusText(status))
	return answer{status: status, contentType: "text/html; charset=utf-8", body: []byte(body)}
}

// envelope is the answer with the result of a method and its time block.
func envelope(result any, t timing) answer {
	var next, total *int
	if page, ok := result.(paged); ok {
		total = &page.total
		if page.next > 0 {
			next = &page.next
		}
	}
	return jsonAnswer(http.StatusOK, struct {
		Result any    `json:"result"`
		Next   *int   `json:"next,omitempty"`
		Total  *int   `json:"total,omitempty"`
		Time   timing `json:"time"`
	}{result, next, total, t})
}

// timing is the time block, which answers with a result have.
type timing struct {
	Start      float64 `json:"start"`
	Finish     float64 `json:"finish"`
	Duration   float64 `json:"duration"`
	Processing float64 `json:"processing"`
	DateStart  string  `json:"date_start"`
	DateFinish string  `json:"date_finish"`

	*operating // nil where the portal does not tell
}

// operating is how long a method has run during the last ten minutes.
type operating struct {
	ResetAt int64   `json:"operating_reset_at"`
	Ran     float64 `json:"operating"`
}

func timeBlock(start time.Time) timing {
	finish := time.Now()
	return timing{
		Start:      float64(start.UnixMicro()) / 1e6,
		Finish:     float64(finish.UnixMicro()) / 1e6,
		Duration:   finish.Sub(start).Seconds(),
		Processing: finish.Sub(start).Seconds(),
		DateStart:  start.Format(time.RFC3339),
		DateFinish: finish.Format(time.RFC3339),
	}
}

// whole is the time block in whole seconds.
func (t timing) whole() timing {
	for _, number := range []*float64{&t.Start, &t.Finish, &t.Duration, &t.Processing} {
		*number = math.Trunc(*number)
	}
	return t
}

// WithoutDescriptions lets the portal leave error_description empty in the errors of
// methods, as newer portals do that hide the texts of exceptions. The codes stay.
func WithoutDescriptions() Option { return func(p *Portal) { p.hidesTexts = true } }

// shown is the error of a method as the portal answers it.
func (p *Portal) shown(fail *world.Refusal) *world.Refusal {
	if fail == nil || !p.hidesTexts {
		return fail
	}
	return world.NewRefusal(fail.Status, fail.Code, "")
}

func refused(e *world.Refusal) answer { return jsonAnswer(e.Status, e.Value()) }
