package openlines

import (
	"cmp"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// The tests of this file hold the package against the description of the methods: a method,
// a parameter or a code that is missing fails.

// left are the methods that have no type here, because no bot needs them; [imbot.Client.Call]
// calls them.
var left = []string{
	"imopenlines.session.open", "imopenlines.session.start", "imopenlines.crm.message.add",
	"imopenlines.network.join", "imopenlines.network.message.add", "imopenlines.revision.get",
}

// fillings are requests that together have a value in every field, and what decodes their results.
var fillings = []struct {
	request interface{ Method() string }
	decode  func([]byte) (any, error)
}{
	{SessionCallOperatorRequest{ChatID: 1}, decoder(SessionCallOperatorRequest{})},
	{SessionSendRequest{ChatID: 1, Message: "a"}, decoder(SessionSendRequest{})},
	{SessionTransferRequest{ChatID: 1, UserID: 2, LineID: 3, Leave: imbot.Yes}, decoder(SessionTransferRequest{})},
	{SessionFinishRequest{ChatID: 1}, decoder(SessionFinishRequest{})},
	{SessionGetRequest{1, 2}, decoder(SessionGetRequest{})},
	{SessionHistoryRequest{1, 2}, decoder(SessionHistoryRequest{})},
	{LineListRequest{nil, 1, 2, imbot.Yes}, decoder(LineListRequest{})},
	{LineGetRequest{1, imbot.Yes, imbot.No}, decoder(LineGetRequest{})},
	{LineUpdateRequest{1, &WelcomeBot{imbot.Yes, 2, BotJoinFirst, time.Second, BotLeftQueue}}, decoder(LineUpdateRequest{})},
}

func decoder[R any](req imbot.Request[R]) func([]byte) (any, error) {
	return func(data []byte) (any, error) { return req.Decode(data) }
}

type specParam struct {
	Name   string
	Fields []specParam
}

type specMethod struct {
	Method  string
	Doc     string
	Params  []specParam
	Errors  []struct{ Code string }
	Example json.RawMessage `json:"example_result"`
}

func spec(t testing.TB) map[string]specMethod {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "spec", "imopenlines.json"))
	require.NoError(t, err)
	var all []specMethod
	require.NoError(t, json.Unmarshal(data, &all))
	methods := map[string]specMethod{}
	for _, m := range all {
		methods[m.Method] = m
	}
	return methods
}

// documented is the answer with the documented result of a method.
func documented(t testing.TB, method string) string {
	return `{"result":` + string(spec(t)[method].Example) + `}`
}

func TestEveryMethodIsHereOrLeft(t *testing.T) {
	t.Parallel()
	here := slices.Clone(left)
	for _, f := range fillings {
		here = append(here, f.request.Method())
	}
	var described []string
	for name := range spec(t) {
		described = append(described, name)
	}
	require.ElementsMatch(t, described, here)
}

// notSent are parameters that a request has no field for, and why.
var notSent = map[string]string{
	"CLIENT_ID":                     "comes from the credentials",
	"TRANSFER_ID":                   "is another way to say USER_ID or QUEUE_ID",
	"DIALOG_ID":                     "is another way to say CHAT_ID",
	"USER_CODE":                     "is for connectors",
	"PARAMS.QUEUE":                  "is the business of people",
	"PARAMS.NO_ANSWER_BOT_ID":       "has no documented rule that uses it",
	"PARAMS.WORKTIME_DAYOFF_BOT_ID": "has no documented rule that uses it",
	"PARAMS.CLOSE_BOT_ID":           "has no documented rule that uses it",
	"PARAMS.AUTO_CLOSE_BOT_ID":      "has no documented rule that uses it",
}

func TestEveryParameterIsSent(t *testing.T) {
	t.Parallel()
	methods := spec(t)
	for _, f := range fillings {
		data, err := json.Marshal(f.request)
		require.NoError(t, err)
		var sent map[string]any
		require.NoError(t, json.Unmarshal(data, &sent))
		var walk func(prefix string, sent map[string]any, params []specParam)
		walk = func(prefix string, sent map[string]any, params []specParam) {
			for _, p := range params {
				if notSent[prefix+p.Name] != "" {
					continue
				}
				require.Contains(t, sent, p.Name, "%s: %s", f.request.Method(), data)
				inner, _ := sent[p.Name].(map[string]any)
				walk(prefix+p.Name+".", inner, p.Fields)
			}
		}
		walk("", sent, methods[f.request.Method()].Params)
	}
}

func TestEveryDocumentedAnswerIsDecodedAndOthersAreErrors(t *testing.T) {
	t.Parallel()
	methods := spec(t)
	for _, f := range fillings {
		name := f.request.Method()
		result, err := f.decode(methods[name].Example)
		require.NoError(t, err, name)
		if _, ok := result.(imbot.OK); !ok {
			require.NotZero(t, result, name)
		}
		for _, none := range []string{`null`, `false`, `"no"`, `7`, `[7]`, `{"a":7}`, `{"message":7}`, `{"message":{"1":7}}`} {
			_, err := f.decode([]byte(none))
			require.Error(t, err, "%s %s", name, none)
		}
	}
}

// codes are the names of the constants by their codes, of this package and of imbot.
func codes(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	constant := regexp.MustCompile(`(?m)^\s+(Err\w+)\s+(?:imbot\.)?ErrorCode = "([^"]+)"`)
	for file, prefix := range map[string]string{"errors.go": "", "../errors.go": "imbot."} {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range constant.FindAllStringSubmatch(string(data), -1) {
			require.NotContains(t, names, found[2], "one constant for each code")
			names[found[2]] = prefix + found[1]
		}
	}
	return names
}

// The comment of each method of a service names the REST method, its codes and its page.
func TestCommentsNameTheErrorsAndThePage(t *testing.T) {
	t.Parallel()
	comments := map[string]string{}
	for _, file := range []string{"session.go", "line.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Doc == nil {
				continue
			}
			text := strings.Join(strings.Fields(f.Doc.Text()), " ")
			if found := regexp.MustCompile(`REST method: ([\w.]+)\. Errors`).FindStringSubmatch(text); found != nil {
				comments[found[1]] = text
			}
		}
	}
	names, methods := codes(t), spec(t)
	for _, f := range fillings {
		m := methods[f.request.Method()]
		comment := comments[m.Method]
		require.Contains(t, comment, "Page: "+strings.TrimSuffix(m.Doc, ".md")+".html", m.Method)
		for _, e := range m.Errors {
			require.Contains(t, names, e.Code, m.Method)
			require.Contains(t, comment, "["+names[e.Code]+"]", m.Method)
		}
		repeatable, is := f.request.(imbot.Repeater)
		require.Equal(t, is && repeatable.Repeatable(), strings.Contains(comment, "Repeatable"), m.Method)
	}
}

// FuzzDecode reads results that no portal sends: none makes a decoder panic, and what is read
// has an id.
func FuzzDecode(f *testing.F) {
	methods := spec(f)
	for i, filling := range fillings {
		f.Add(i, []byte(methods[filling.request.Method()].Example))
	}
	f.Add(5, []byte(`{"message":{"b":{"id":"x","params":{"fileId":7}},"a":[]}}`))
	f.Add(6, []byte(`{"1":{"QUEUE":{"a":{"b":1}}}}`))
	f.Fuzz(func(t *testing.T, i int, data []byte) {
		if !json.Valid(data) { // of what the client has read
			return
		}
		result, err := fillings[uint(i)%uint(len(fillings))].decode(data)
		switch r := result.(type) {
		case Dialog:
			require.Equal(t, err == nil, r.ChatID != 0 && r.OpenLine.ChatID == r.ChatID)
		case Line:
			require.Equal(t, err == nil, r.ID != 0)
		case []Line:
			require.False(t, slices.ContainsFunc(r, func(l Line) bool { return l.ID == 0 }))
		case []Message:
			require.False(t, slices.ContainsFunc(r, func(m Message) bool { return m.ID == 0 }))
			require.True(t, slices.IsSortedFunc(r, func(a, b Message) int { return cmp.Compare(a.ID, b.ID) }))
		}
	})
}
