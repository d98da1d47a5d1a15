package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// The verdicts on a fact.
const (
	asAssumed = "as assumed"
	otherwise = "otherwise"
	unasked   = "not asked"
)

// A finding is what a run says of a fact.
type finding struct {
	ID      string `json:"id"`
	Verdict string `json:"verdict"`
	Note    note   `json:"note,omitempty"`
}

// A result is a run, as testdata/live keeps them.
type result struct {
	Date     string    `json:"date"`
	Portal   string    `json:"portal"` // a cloud or a box
	Version  string    `json:"version"`
	Revision note      `json:"revision,omitempty"`
	Scopes   []string  `json:"scopes,omitempty"` // of those that matter to bots
	Tiers    []tier    `json:"tiers"`
	Findings []finding `json:"findings"`
}

// askAll asks the facts of the tiers in their order. What hears of no answer says so, and the next one
// is asked.
func (c *check) askAll(ctx context.Context) []finding {
	var found []finding
	for _, f := range facts() {
		switch {
		case f.ask == nil || !slices.Contains(c.tiers, f.tier):
			continue
		case ctx.Err() != nil:
			found = append(found, finding{f.id, unasked, refusal(context.Canceled)})
			continue
		}
		seen, err := f.ask(ctx, c)
		one := finding{f.id, otherwise, seen.note}
		switch {
		case err != nil:
			one = finding{f.id, unasked, refusal(err)}
		case seen.assumed:
			one.Verdict = asAssumed
		}
		found = append(found, one)
		_, _ = fmt.Fprintf(c.out, "  %-20s %s\n", one.ID, one.say()) // the screen; the report says it again
	}
	return found
}

func (f finding) say() string {
	if f.Note == "" {
		return f.Verdict
	}
	return f.Verdict + ": " + string(f.Note)
}

// print writes a report that may be shown to everybody.
func (r result) print(out io.Writer) {
	var b strings.Builder
	line := func(name string, v any) { fmt.Fprintf(&b, "%-9s %v\n", name+":", v) }
	b.WriteString("\n```\n")
	line("livecheck", r.Version)
	line("Go", runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH)
	line("date", r.Date)
	line("portal", r.Portal)
	line("scopes", strings.Join(r.Scopes, ", "))
	b.WriteString("```\n\nNot asked by this run: " + others(r.Tiers) + ".\n\n| fact | what we assume | what this portal does |\n|---|---|---|\n")
	assumed := map[string]string{}
	for _, f := range facts() {
		assumed[f.id] = f.assumed
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.ID, assumed[f.ID], f.say())
	}
	_, _ = io.WriteString(out, b.String()) // the screen
}

// others counts the facts of the tiers that a run leaves out.
func others(tiers []tier) string {
	var list []string
	for _, t := range []tier{tierWrite, tierPerson, tierListen} {
		n := 0
		for _, f := range facts() {
			if f.tier == t {
				n++
			}
		}
		if !slices.Contains(tiers, t) {
			list = append(list, fmt.Sprintf("%d facts of -%s", n, t))
		}
	}
	return strings.Join(list, ", ")
}

// noteOf is what was noted of a fact.
func (r result) noteOf(id string) note {
	for _, f := range r.Findings {
		if f.ID == id {
			return f.Note
		}
	}
	return ""
}

// save writes a result for testdata/live.
func (r result) save(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// version is that of the library in this program.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}

// kind tells a cloud from a box, which may be called bitrix24.example.com, and not which one.
func kind(portal string) string {
	_, parent, _ := strings.Cut(portal, ".")
	if end, found := strings.CutPrefix(parent, "bitrix24."); found && len(end) <= len("com.br") {
		return "a cloud"
	}
	return "a box"
}

// count tells how a run ended.
func (r result) count() string {
	n := map[string]int{}
	for _, f := range r.Findings {
		n[f.Verdict]++
	}
	return fmt.Sprintf("%d as assumed, %d otherwise, %d not asked", n[asAssumed], n[otherwise], n[unasked])
}

var errStopped = errors.New("nothing was done")
