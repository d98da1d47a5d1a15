package imbot_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/phpform"
)

// specField is a field of an event in testdata/spec.
type specField struct {
	Name   string
	Type   string
	Map    bool
	Fields []specField
}

type specExample struct {
	Title string
	JSON  json.RawMessage
	Body  string
}

type specEvent struct {
	Event        string
	Data         []specField
	Example      specExample
	MoreExamples []specExample `json:"more_examples"`
}

func eventSpec(t testing.TB) (envelope []specField, events map[string]specEvent) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "spec", "imbot-v1-events.json"))
	require.NoError(t, err)
	var spec struct {
		Envelope []specField
		Events   []specEvent
	}
	require.NoError(t, json.Unmarshal(raw, &spec))
	events = make(map[string]specEvent)
	for _, e := range spec.Events {
		events[e.Event] = e
	}
	require.Len(t, events, 7)
	return spec.Envelope, events
}

// specBodies returns the example bodies of an event.
func specBodies(t *testing.T, event string) []string {
	t.Helper()
	_, events := eventSpec(t)
	bodies := []string{events[event].Example.Body}
	for _, e := range events[event].MoreExamples {
		bodies = append(bodies, e.Body)
	}
	return bodies
}

// notMirrored are the ends of the wire paths that have no field in Go, and why.
var notMirrored = map[string]string{
	"event_handler_id":    "the id of a binding that no method takes; Raw has it",
	"expires_in":          "always 3600; expires is the moment itself",
	"data PARAMS PARAMS":  "undocumented free map of what is stored with a message; Raw has it",
	"data PARAMS CONTEXT": "free map of the link; Params.Context reads it",
	"FILES 1 viewerAttrs": "data for the vendor's own pages; Raw has it",
}

// neverSent are the fields that an event leaves empty because its types are
// shared with other events and blocks.
var neverSent = map[string][]string{
	"ONIMBOTMESSAGEADD": {"ClientID", "ID", "ReplyTo", "ComponentID", "ChatParentID", "ChatParentMID", "BotInChat", "SkipUserCheck", "RecentAdd"},
	"ONIMBOTMESSAGEUPDATE": {
		"ClientID", "TemplateID", "ReplyTo", "ComponentID", "Files", "System", "CommandContext", "ToChatID", "ChatTitle", "ChatAvatar", "ChatColor", "ChatExtranet",
		"ChatPrevMessageID", "ChatParentID", "ChatParentMID", "BotInChat", "ChatCanPost", "RID", "IsManager", "Push", "PushImportant",
		"RecentSkipAuthor", "Convert", "SkipCommand", "SkipCounterIncrements", "SilentConnector", "SkipConnector", "ImportantConnector",
		"NoSessionOL", "SkipURLIndex", "SkipUserCheck", "RecentAdd", "FakeRelation",
	},
	"ONIMBOTMESSAGEDELETE": {
		"ClientID", "MessageOriginal", "TemplateID", "MentionedList", "ReplyTo", "ComponentID", "Files", "System", "PlatformContext", "CommandContext", "ToChatID",
		"ChatTitle", "ChatAvatar", "ChatColor", "ChatUserCount", "ChatExtranet", "ChatPrevMessageID", "ChatParentID", "ChatParentMID",
		"BotInChat", "ChatCanPost", "RID", "IsManager", "Push", "PushImportant", "RecentSkipAuthor", "Convert", "SkipCommand", "SkipCounterIncrements",
		"SilentConnector", "SkipConnector", "ImportantConnector", "NoSessionOL", "SkipURLIndex", "SkipUserCheck", "RecentAdd", "FakeRelation",
	},
	"ONIMCOMMANDADD": {
		"ClientID", "MessageOriginal", "ID", "MentionedList", "ReplyTo", "ComponentID", "PlatformContext", "CommandContext", "ChatUserCount", "IsBot", "IsConnector",
		"IsNetwork", "IsExtranet",
	},
	"ONIMBOTCONTEXTGET": {"ClientID", "IsBot", "IsConnector", "IsNetwork", "IsExtranet"},
	"ONIMBOTJOINCHAT":   {"ClientID", "IsBot", "IsConnector", "IsNetwork", "IsExtranet"},
	"ONIMBOTDELETE":     {"ClientID"},
}

// A planter fills a body with values that are all different.
type planter struct {
	body   phpform.Form
	n      int
	wanted map[string]string // value → wire path
	skip   func(path string) bool
}

func (p *planter) plant(fields []specField, parents ...string) {
	for _, f := range fields {
		name := f.Name
		if strings.HasPrefix(name, "{") {
			name = "1" // a map keyed by id
		}
		path := append(parents[:len(parents):len(parents)], name)
		switch {
		case p.skip(strings.Join(path, " ")):
		case name == "FILES": // its fields in the spec are those of one file
			p.plant(f.Fields, append(path, "1")...)
		case len(f.Fields) > 0:
			p.plant(f.Fields, path...)
		case name == "MENTIONED_LIST", name == "BOT_IN_CHAT":
			p.set("int", append(path, "1")...)
		default:
			p.set(f.Type, path...)
		}
	}
}

func (p *planter) set(kind string, path ...string) {
	p.n++
	value := strconv.Itoa(1_000_000 + p.n)
	switch {
	case path[len(path)-1] == "date":
		value = time.Unix(int64(1_000_000+p.n), 0).UTC().Format(time.RFC3339)
	case kind != "int" && kind != "unix seconds":
		value = "text-" + value // for flags, too: they keep what they do not know
	}
	p.body.Set(value, path...)
	p.wanted[value] = strings.Join(path, " ")
}

// leaves are the scalars of an event: the field of each value, and the fields
// that are empty.
type leaves struct {
	field map[string]string
	empty []string
}

func (l *leaves) collect(v reflect.Value, name string) {
	if v.Type() == reflect.TypeFor[imbot.RawEvent]() {
		return
	}
	at, isTime := v.Interface().(time.Time)
	value := v.String()
	switch {
	case v.IsZero():
		l.empty = append(l.empty, name)
		return
	case isTime && name == "Date":
		value = at.UTC().Format(time.RFC3339)
	case isTime:
		value = strconv.FormatInt(at.Unix(), 10)
	case v.CanInt():
		value = strconv.FormatInt(v.Int(), 10)
	case v.Kind() == reflect.Pointer:
		l.collect(v.Elem(), name)
		return
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			l.collect(v.Field(i), v.Type().Field(i).Name)
		}
		return
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			l.collect(v.Index(i), name)
		}
		return
	}
	l.field[value] = name
}

func TestEveryFieldOfTheSpecArrivesInAFieldOfItsName(t *testing.T) {
	t.Parallel()
	envelope, events := eventSpec(t)
	unused := make(map[string]bool)
	for end := range notMirrored {
		unused[end] = true
	}
	ends := func(path string) bool {
		for end := range notMirrored {
			if strings.HasSuffix(" "+path, " "+end) {
				delete(unused, end)
				return true
			}
		}
		return false
	}
	inBot := func(path string) (key string, ok bool) {
		if key, ok = strings.CutPrefix(path, "data BOT 1 "); ok {
			return key, ok
		}
		return strings.CutPrefix(path, "data COMMAND 1 ")
	}
	rows := map[string]func(path string) bool{
		"tokens of the bot beside its id": func(path string) bool {
			key, ok := inBot(path)
			return ends(path) || ok && key == "AUTH"
		},
		"tokens of the bot in AUTH only": func(path string) bool {
			key, ok := inBot(path)
			return ends(path) || ok && key == strings.ToLower(key)
		},
	}
	for name := range events {
		for row, skip := range rows {
			t.Run(name+" "+row, func(t *testing.T) {
				p := planter{wanted: make(map[string]string), skip: skip}
				for _, f := range envelope {
					if f.Name == "data" {
						f.Fields = events[name].Data
					}
					p.plant([]specField{f})
				}
				delete(p.wanted, p.body.Get("event"))
				p.body.Set(name, "event")
				require.Greater(t, len(p.wanted), 12)

				ev := parseAs[imbot.Event](t, formType, p.body.Encode())
				got := leaves{field: make(map[string]string)}
				got.collect(reflect.ValueOf(ev), "")
				require.Equal(t, "Name", got.field[name])
				for value, path := range p.wanted {
					field, ok := got.field[value]
					require.True(t, ok, "%s is nowhere in %T", path, ev)
					if path == "ts" {
						path = "time"
					}
					flat := strings.NewReplacer("_", "", " ", "").Replace(strings.TrimSuffix(path, " 1"))
					require.True(t, strings.HasSuffix(strings.ToLower(flat), strings.ToLower(field)), "%s arrived in %s", path, field)
				}
				require.Len(t, got.field, len(p.wanted)+1, "a field has what nobody sent")
				require.Equal(t, neverSent[name], got.empty, "a field that gets nothing")
			})
		}
	}
	require.Empty(t, unused, "exceptions that excuse nothing")
}

func TestTheExamplesOfTheSpecAreTheSameEventAsFormAndAsJSON(t *testing.T) {
	t.Parallel()
	_, events := eventSpec(t)
	types := map[string]imbot.Event{
		"ONIMBOTMESSAGEADD":    &imbot.MessageAddEvent{},
		"ONIMBOTMESSAGEUPDATE": &imbot.MessageUpdateEvent{},
		"ONIMBOTMESSAGEDELETE": &imbot.MessageDeleteEvent{},
		"ONIMCOMMANDADD":       &imbot.CommandAddEvent{},
		"ONIMBOTCONTEXTGET":    &imbot.ContextGetEvent{},
		"ONIMBOTJOINCHAT":      &imbot.JoinChatEvent{},
		"ONIMBOTDELETE":        &imbot.BotDeleteEvent{},
	}
	for name, e := range events {
		for _, example := range append(e.MoreExamples, e.Example) {
			t.Run(name+" "+example.Title, func(t *testing.T) {
				form := parseAs[imbot.Event](t, formType, example.Body)
				requireSameEvent(t, form, parseAs[imbot.Event](t, "application/json", string(example.JSON)))
				require.Equal(t, name, form.Meta().Name)
				require.IsType(t, types[name], form)
			})
		}
	}
}
