package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
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

// clouds are the ends of the vendor's own domain; a box may be called bitrix24.example.com.
var clouds = strings.Fields("com ru eu by kz uz de fr es it pl ua in id vn jp cn mx co uk com.br com.tr com.mx")

// kind tells a cloud from a box, and not which one.
func kind(portal string) string {
	_, parent, _ := strings.Cut(portal, ".")
	if end, found := strings.CutPrefix(parent, "bitrix24."); found && slices.Contains(clouds, end) {
		return "cloud, bitrix24." + end
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

var (
	quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?`)
	method = regexp.MustCompile(`^(imbot\.v2(\.[A-Z][a-z]+)*(\.[a-z]+)?|imbot\.(register|bot\.list|chat\.sendTyping)|app\.info)$`)
)

// nameless leaves out of a text what may be a name: quoted words, addresses, hosts. Methods stay.
func nameless(text string) string {
	words := strings.Fields(quoted.ReplaceAllString(text, `"…"`))
	for i, word := range words {
		bare := strings.Trim(word, `.,:;()`)
		if strings.ContainsAny(bare, "/@:") || strings.Contains(bare, ".") && !method.MatchString(bare) {
			words[i] = strings.Replace(word, bare, "…", 1)
		}
	}
	return strings.Join(words, " ")
}
