package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// LIVE.md is made from the results in testdata/live:
//
//	IMBOT_WRITE=1 go test -run LiveIsWhatWasSeen ./examples/livecheck
func TestLiveIsWhatWasSeen(t *testing.T) {
	t.Parallel()
	page := livePage(readResults(t, "../../testdata/live"))
	if os.Getenv("IMBOT_WRITE") != "" {
		require.NoError(t, os.WriteFile("../../LIVE.md", []byte(page), 0o600))
	}
	written, err := os.ReadFile("../../LIVE.md")
	require.NoError(t, err)
	require.Equal(t, page, string(written), "IMBOT_WRITE=1 go test -run LiveIsWhatWasSeen ./examples/livecheck")
}

// readResults reads what people have sent. It takes nothing but facts that there are.
func readResults(t *testing.T, dir string) []result {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	var ids []string
	for _, f := range facts() {
		ids = append(ids, f.id)
	}
	var results []result
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var r result
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&r), file)
		require.NotEmpty(t, r.Findings, file)
		for _, f := range r.Findings {
			require.Contains(t, ids, f.ID, file)
			require.Contains(t, []string{asAssumed, otherwise, unasked}, f.Verdict, file)
			require.NotContains(t, f.Note, "|", file)
		}
		results = append(results, r)
	}
	return results
}

// livePage is what the results say together.
func livePage(results []result) string {
	var b strings.Builder
	b.WriteString(`# What live portals do

About some facts the documents are silent or contradict each other, so this library takes what is more likely for true.
[examples/livecheck](examples/livecheck) asks a portal; this page is made from the results that people have sent. To add yours:

    BITRIX24_WEBHOOK_URL=… go run ./examples/livecheck -write -json testdata/live/2026-12-01-cloud.json

The result holds no name, no address and no text of the portal. Look at it, and open a pull request or an issue with it.

`)
	if len(results) == 0 {
		b.WriteString("No result has been sent yet: everything below is assumed.\n\n")
	} else {
		fmt.Fprintf(&b, "Seen: %d results, of %s.\n\n", len(results), strings.Join(portals(results), ", "))
	}
	b.WriteString("| fact | what we assume | what portals do |\n|---|---|---|\n")
	for _, f := range facts() {
		said := "not asked: " + f.why
		if f.ask != nil {
			said = together(f.id, results)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.id, f.assumed, said)
	}
	return b.String()
}

// portals tells what kinds the results are of.
func portals(results []result) []string {
	n := map[string]int{}
	for _, r := range results {
		n[strings.TrimSpace(r.Portal+" "+string(cmp.Or(r.Revision, "of an unknown revision")))]++
	}
	var list []string
	for kind, count := range n {
		list = append(list, fmt.Sprintf("%s (%d)", kind, count))
	}
	slices.Sort(list)
	return list
}

// together is what all results say of a fact.
func together(id string, results []result) string {
	n := map[string]int{}
	for _, r := range results {
		for _, f := range r.Findings {
			switch {
			case f.ID != id || f.Verdict == unasked:
			case f.Verdict == otherwise:
				n["**"+f.say()+"**"]++
			default:
				n[f.Verdict]++
			}
		}
	}
	if len(n) == 0 {
		return "not known yet"
	}
	var list []string
	for said, count := range n {
		list = append(list, fmt.Sprintf("%s (%d)", said, count))
	}
	slices.Sort(list)
	return strings.Join(list, "; ")
}

func TestResultsAreCountedTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, choice := range map[string]string{"a": "1", "b": "1", "c": "2"} {
		cfg, _ := newConfig(t, newPortal(t), choice, tierRead, tierPerson)
		cfg.keep = filepath.Join(dir, name+".json")
		require.NoError(t, run(t.Context(), cfg))
	}
	page := livePage(readResults(t, dir))
	require.Contains(t, page, "Seen: 3 results, of a box revision 36 (3).")
	require.Contains(t, page, "| markdown-bold | the web client shows: the stars stand there | **otherwise: the words are bold, and there are no stars** (1); as assumed (2) |")
	require.Contains(t, page, "| templateid | a lower-case templateId that is sent twice is one message | not known yet |")
	require.Contains(t, page, "| client-freeze | some texts of people keep the web client busy for ever | not asked: it would freeze")
}
