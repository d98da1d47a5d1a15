package slash_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/internal/slash"
)

func TestArgs(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		text string
		want []string
	}{
		"nothing":                             {"", nil},
		"only blanks":                         {" \t\n\u00a0", nil},
		"words":                               {"  large\tpizza \u00a0please\n", []string{"large", "pizza", "please"}},
		"two words in quotes":                 {`"two words" three`, []string{"two words", "three"}},
		"typographic quotes":                  {"“two words” «ещё два»", []string{"two words", "ещё два"}},
		"an empty one in quotes":              {`a "" b`, []string{"a", "", "b"}},
		"blanks at the ends inside of quotes": {`" a "`, []string{" a "}},
		"a quote that does not end":           {`"two words`, []string{`"two`, "words"}},
		"a quote that ends as it begins":      {`" `, []string{`"`}},
		"a quote within a word":               {`5" pipe"s`, []string{`5"`, `pipe"s`}},
		"a quote that ends within a word":     {`"a"b c" d`, []string{`a"b c`, "d"}},
		"a quote of another kind inside":      {`"say «hi» now" x`, []string{"say «hi» now", "x"}},
		"a quote that begins with the wrong":  {`”a b“`, []string{"”a", "b“"}},
		"a lone quote before a pair":          {`“x "two words"`, []string{"“x", "two words"}},
		"bytes that are no text":              {"\xff\"a \xe2\x80", []string{"\xff\"a", "\xe2\x80"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, row.want, slash.Args(row.text))
		})
	}
}

func FuzzArgs(f *testing.F) {
	for _, seed := range []string{`a "b c" “d e” «f»`, `" " "`, "««»»", "\xff“", strings.Repeat(`"a `, 50)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rest := text
		for _, arg := range slash.Args(text) {
			at := strings.Index(rest, arg)
			require.GreaterOrEqual(t, at, 0, "the parts stand in the text, in their order")
			rest = rest[at+len(arg):]
		}
		if !strings.ContainsAny(text, `"“«`) {
			require.ElementsMatch(t, strings.Fields(text), slash.Args(text))
		}
	})
}

// A message has at most 20,000 characters; a quote that is searched for at each word would be felt.
func TestArgsOfManyLoneQuotes(t *testing.T) {
	t.Parallel()
	require.Len(t, slash.Args(strings.Repeat(`"a “b «c `, 200_000)), 600_000)
}

type table = slash.Table[string]

func run(context.Context, string) error { return nil }

func good(name string) slash.Row[string] {
	return slash.Row[string]{Name: name, Title: "Title", Run: run}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	require.NoError(t, table{good("a"), {Name: "b", Title: "B", Interrupts: true}, {Name: "c", Title: "C", Run: run, Languages: []string{"de", "fr"}}}.Check())
	for name, row := range map[string]struct {
		with func(*slash.Row[string])
		want string
	}{
		"no name":                     {func(r *slash.Row[string]) { r.Name = "" }, "command 2"},
		"a blank in the name":         {func(r *slash.Row[string]) { r.Name = "a b" }, "blank"},
		"a blank of another width":    {func(r *slash.Row[string]) { r.Name = "a\u00a0b" }, "blank"},
		"a line's end in the name":    {func(r *slash.Row[string]) { r.Name = "b\n" }, "blank"},
		"a slash in the name":         {func(r *slash.Row[string]) { r.Name = "/b" }, "slash"},
		"a name that is there before": {func(r *slash.Row[string]) { r.Name = "FIRST" }, "twice"},
		"no title":                    {func(r *slash.Row[string]) { r.Title = " " }, "Title"},
		"nothing to do":               {func(r *slash.Row[string]) { r.Run = nil }, "Run"},
		"an English title beside it":  {func(r *slash.Row[string]) { r.Languages = []string{"de", "EN"} }, "two titles"},
		"two titles in one language":  {func(r *slash.Row[string]) { r.Languages = []string{"de", "De"} }, "two titles"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			second := good("second")
			row.with(&second)
			require.ErrorContains(t, table{good("first"), second}.Check(), row.want)
		})
	}
}

func TestACommandIsFoundInAnyCaseAndWithItsSlash(t *testing.T) {
	t.Parallel()
	var did []string
	does := func(what string) func(context.Context, string) error {
		return func(_ context.Context, ev string) error {
			did = append(did, what+" "+ev)
			return nil
		}
	}
	commands := table{
		{Name: "Order", Run: does("order")}, {Name: "later", Run: does("later"), Beside: true}, {Name: "stop", Interrupts: true},
		{Name: "again", Interrupts: true, Run: does("again")}, {Name: "idle"},
	}
	interrupt := func() { did = append(did, "interrupt") }
	for _, row := range []struct {
		name   string
		beside bool
		want   []string
	}{
		{"order", false, []string{"order x"}},
		{"/ORDER", false, []string{"order x"}},
		{"later", true, []string{"later x"}},
		{"/Stop", true, []string{"interrupt"}},
		{"again", true, []string{"interrupt", "again x"}},
		{"//order", false, []string{"other x"}},
		{"idle", false, []string{"other x"}},
		{"", false, []string{"other x"}},
	} {
		did = nil
		require.NoError(t, commands.Run(t.Context(), row.name, "x", interrupt, does("other")), row.name)
		require.Equal(t, row.want, did, row.name)
		require.Equal(t, row.beside, commands.Beside(row.name), row.name)
	}
	require.ErrorContains(t, commands.Run(t.Context(), "pay", "x", interrupt, nil), `"pay" is not in EventHandler.Commands`)
}
