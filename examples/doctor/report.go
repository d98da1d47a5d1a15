package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// publicReport is a report that may be shown to everybody: versions, what kind of portal and bot it
// is about, and the problems without what is in quotes or looks like an address, since these are names.
func publicReport(ctx context.Context, client *imbot.Client, r imbot.Report, req request) string {
	var b strings.Builder
	line := func(name string, value any) { fmt.Fprintf(&b, "%-11s %v\n", name+":", value) }
	b.WriteString("```\n")
	line("imbot", version())
	line("Go", runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH)
	line("portal", kind(client.Portal()))
	line("revision", revision(ctx, client))
	line("generation", map[bool]int{false: 1, true: 2}[req.v2])
	line("bot", map[bool]string{true: "found", false: "not found, or not asked for"}[r.BotID != 0])
	line("URL", map[bool]string{true: "given", false: "none"}[req.url != ""])
	for i, f := range r.Findings {
		guess := ""
		if f.Guess {
			guess = "perhaps: "
		}
		line(fmt.Sprint("finding ", i+1), guess+nameless(f.Problem))
	}
	if len(r.Findings) == 0 {
		line("findings", "none")
	}
	b.WriteString("```\n")
	return b.String()
}

// version is that of the library in this program.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}

// kind tells a cloud from a box, and not which one.
func kind(portal string) string {
	_, parent, _ := strings.Cut(portal, ".")
	if rest, cloud := strings.CutPrefix(parent, "bitrix24."); cloud {
		return "cloud, bitrix24." + rest
	}
	return "a box"
}

// revision is what the portal says of itself, or the code of its refusal.
func revision(ctx context.Context, client *imbot.Client) string {
	rev, err := imbotv2.From(client).Revision.Get(ctx, imbotv2.RevisionGetRequest{})
	if err == nil {
		return fmt.Sprint("REST ", rev.REST)
	}
	if e := (*imbot.Error)(nil); errors.As(err, &e) && e.Code != "" {
		return "refused, " + string(e.Code)
	}
	return "not told"
}

// nameless leaves out of a text what may be a name: quoted words, addresses, hosts, numbers.
func nameless(text string) string {
	parts := strings.Split(text, `"`)
	for i := 1; i < len(parts); i += 2 {
		parts[i] = "…"
	}
	words := strings.Fields(strings.Join(parts, `"`))
	for i, word := range words {
		bare := strings.Trim(word, `.,:;()`)
		if strings.ContainsAny(bare, "/@:") || strings.Contains(bare, ".") && bare != "imbot.v2" && !strings.HasPrefix(bare, "imbot.") && !strings.HasPrefix(bare, "app.") {
			words[i] = strings.Replace(word, bare, "…", 1)
		}
	}
	return strings.Join(words, " ")
}
