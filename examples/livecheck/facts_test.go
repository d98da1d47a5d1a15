package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/imbottest"
)

func TestEachFactIsAskedOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, f := range facts() {
		require.NotContains(t, ids, f.id)
		ids = append(ids, f.id)
		require.NotEmpty(t, f.assumed, f.id)
		require.Equal(t, f.ask == nil, f.tier == tierNone, f.id)
		require.Equal(t, f.ask == nil, f.why != "", f.id)
	}
}

// The portal in memory has the other way of each fact that a program can see; people have to look at the rest.
func TestThePortalInMemoryHasTheOtherWayOfEachFact(t *testing.T) {
	t.Parallel()
	var doubts []string
	for _, d := range imbottest.Doubts() {
		doubts = append(doubts, string(d))
	}
	for _, f := range facts() {
		if f.ask == nil || f.tier == tierPerson { // some have the other way all the same
			doubts = slices.DeleteFunc(doubts, func(d string) bool { return d == f.id })
			continue
		}
		if !slices.Contains([]string{
			"revision",   // imbottest.WithRevision
			"error-text", // imbottest.WithoutDescriptions
			"file-down",  // it has no other way: bytes are the same, or the portal is broken
		}, f.id) {
			require.Contains(t, doubts, f.id)
			doubts = slices.DeleteFunc(doubts, func(d string) bool { return d == f.id })
		}
	}
	require.Empty(t, doubts)
}

// Comments at guesses name the facts by their ids.
func TestCommentsNameFactsThatExist(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, f := range facts() {
		ids = append(ids, f.id)
	}
	for id, path := range named(t) {
		require.Contains(t, ids, id, path)
	}
}

// The other way round: a fact that no comment names is one that nothing rests on.
func TestEachFactIsNamedWhereTheCodeRestsOnIt(t *testing.T) {
	t.Parallel()
	places := named(t)
	for _, f := range facts() {
		if slices.Contains([]string{
			"vendor-go-sdk", // about another library
			"client-blocks", // how attachments look changes nothing for a program
		}, f.id) {
			require.NotContains(t, places, f.id)
			continue
		}
		require.Contains(t, places, f.id)
	}
}

// named returns the ids in comments of the library and of the portal in memory, each with a file.
func named(t *testing.T) map[string]string {
	mark, between, places := regexp.MustCompile(`\(livecheck: ([^)]*)\)`), regexp.MustCompile(`,\s+(?://\s+)?`), map[string]string{}
	err := filepath.WalkDir("../..", func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == filepath.Join("../..", "examples", "livecheck"):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range mark.FindAllSubmatch(text, -1) {
			for _, id := range between.Split(string(m[1]), -1) {
				places[id] = path
			}
		}
		return err
	})
	require.NoError(t, err)
	return places
}

const settled = "settled by the source of the server"

// doubtful is what the facts of this project call doubtful, by how each place begins, and the facts here that
// ask about it.
var doubtful = []struct {
	place string
	rows  [][]string
}{
	{"rest-protocol.md", [][]string{
		{"1. Old refresh token", "oauth-rotation"}, {"2. POST to the token endpoint", "oauth-info-post"}, {"3. Rate refusal", "rate-refusal"},
		{"4. HTTP status of auth-layer", "status-auth", "status-scope", "portal-deleted"}, {"5. Real handler timeout", "handler-time"},
		{"6. Whether v2 webhook bodies", "post-form"}, {"7. v2 webhook mode", "v2-posts"}, {"8. Synthetic application_token", "application-token"},
		{"9. Several webhook URLs", "posts-per-bot"}, {"10. `templateId`", "templateid", "templateid-upper", "queue-day"}, {"11. `Authorization: Bearer`", "bearer"},
		{"12. Maximum body size", "body-limit"}, {"13. Which values `time.start`", "time-numbers"}, {"14. Cloud limit of operating", "operating-limit"},
		{"15. Internals of the official", "vendor-go-sdk"}, {"16. Whether cloud portals run", "sql-words", "filter-in-cloud", "markdown-bold"},
		{"17. `authorization: bearer`", "bearer"},
	}},
	{"contradictions", [][]string{
		{"Bot.register: botToken inside", settled}, {"HTTP status of method errors", "status-method"}, {"rate limit answer", "rate-refusal"},
		{"Chat.textFieldEnabled", "text-field-enabled"}, {"Chat.lastMessageViews", "last-message-views"}, {"Chat.markedId", "chat-nulls"},
		{"result.users of Chat.add", "chat-add-users"}, {"Chat.User.add right", settled}, {"Chat.add.fields.message", "chat-first-message"},
		{"attach errors", settled}, {"Message.update.urlPreview", settled}, {"GRID DISPLAY", "client-blocks"}, {"USER block", "client-blocks"},
		{"webhook body", "post-form"}, {"user.id in webhook", "context-user"}, {"File.download: dialogId", settled}, {"File object of imbot", "file-object"},
		{"Chat.User.list", "user-list"}, {"backgroundId reset", "background-null"}, {"Command.list", "built-in-commands"}, {"uuidMap empty", "uuidmap-empty"},
		{"User.phones", "user-shapes"}, {"templateId", "templateid"}, {"Bot.list filter.type", "unknown-bot-type"}, {"Bot.update properties", "properties-partial"},
		{"several webhook bots", "posts-per-bot"}, {"Message.update in open lines", "line-edits"},
	}},
	{"unknown", [][]string{
		{"retention of the bot", "queue-day"}, {"nextOffset when", "queue-offset"}, {"HTTP status per method", "status-method"}, {"schema of message.params", "message-params"},
		{"answer and limits of im.v2.Chat.Bot.sendContext", "context-user"}, {"whether Chat.add.fields.message", "chat-first-message"},
		{"keyboard error codes", "keyboard-of-update"}, {"default duration", "action-time"}, {"maximum Bot.list limit", "lengths"},
		{"whether imbot.v2 methods may", "v2-in-batch"}, {"edit/delete time limit", "edit-time"}, {"effect of an empty message", "empty-deletes"},
		{"idempotency by templateId", "templateid"}, {"fate of queued events", settled}, {"contents of data.bot.auth", "bot-auth-of-posts"},
	}},
	{"measure", [][]string{ // wherever the facts say so
		{"rest-protocol.md: * Several v2 bots of one owner", "posts-per-bot"}, {"imbot-v1-events.json: \"Build 26.250 (the expression run", "mention-cut"},
		{"imbot-v1-events.json: \"Build 26.250 (read;", "message-original"}, {"imbot-v1-events.json: \"Build 26.250 (the escaping", "cloud-names"},
		{"imbot-v1.json: \"Build 26.250 (read, the escaping", "cloud-names"},
		{"text-stage.md: No live portal", "entities-decoded", "links-wrapped", "me-kept", "entity-code", "client-freeze", "markdown-bold", "markdown-link", "html-tag"},
		{"text-stage.md: | 4.6 |", "markdown-bold"},
	}},
	{"design", [][]string{ // what is asked first
		{"v2 in batch", "v2-in-batch"}, {"templateId", "templateid"}, {"Flag text", "flag-text"}, {"eventMode=fetch on a v1 bot", "v1-to-fetch"},
		{"application token", "application-token"}, {"colour spelling", "colour-spelling"}, {"Properties partly given", "properties-partial"},
	}},
}

func TestEachDoubtOfTheFactsHasAnID(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, f := range facts() {
		ids = append(ids, f.id)
	}
	for _, part := range doubtful {
		for _, row := range part.rows {
			require.Greater(t, len(row), 1, row)
			for _, id := range row[1:] {
				require.True(t, id == settled || slices.Contains(ids, id), "%s: %s", row[0], id)
			}
		}
	}
	for part, lines := range doubtfulLines(t) {
		i := slices.IndexFunc(doubtful, func(p struct {
			place string
			rows  [][]string
		}) bool {
			return p.place == part
		})
		require.Len(t, doubtful[i].rows, len(lines), part)
		for n, line := range lines {
			require.True(t, strings.HasPrefix(line, doubtful[i].rows[n][0]), "%s: %.80s", part, line)
		}
	}
}

// doubtfulLines reads the facts that this project was built from, where they are at hand.
func doubtfulLines(t *testing.T) map[string][]string {
	const spec = "../../../shared/spec/"
	if _, err := os.Stat(spec); err != nil {
		return nil
	}
	all := map[string][]string{}
	protocol, err := os.ReadFile(spec + "rest-protocol.md")
	require.NoError(t, err)
	_, doubts, _ := strings.Cut(string(protocol), "\n## 9. Open doubts\n")
	for line := range strings.Lines(doubts) {
		if regexp.MustCompile(`^\d+\. `).MatchString(line) {
			all["rest-protocol.md"] = append(all["rest-protocol.md"], line)
		}
	}
	data, err := os.ReadFile(spec + "imbot-v2-entities.json")
	require.NoError(t, err)
	var entities struct{ Contradictions, Unknown []string }
	require.NoError(t, json.Unmarshal(data, &entities))
	all["contradictions"], all["unknown"] = entities.Contradictions, entities.Unknown
	measure := regexp.MustCompile(`\bmeasure\b[^ ]|: measure|measure on a|should be measured`)
	for _, name := range []string{"rest-protocol.md", "imbot-v1-events.json", "imbot-v1.json", "text-stage.md"} {
		file, err := os.Open(spec + name)
		require.NoError(t, err)
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if measure.MatchString(lines.Text()) {
				all["measure"] = append(all["measure"], name+": "+strings.TrimSpace(lines.Text()))
			}
		}
		require.NoError(t, file.Close())
	}
	return all
}
