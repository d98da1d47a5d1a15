package imbot_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
	"github.com/imbot-go/imbot/imbottest"
)

// walkMarker is every secret of the walk.
const walkMarker = "s3cr3tMARK3R"

// walked has a value of each exported type of the packages that users import, or a
// pointer to one that must not be copied; interfaces aside. mark puts the marker into
// the exported fields; where it belongs into others, it is there already.
func walked(t *testing.T) []any {
	hook := imbot.Webhook{URL: "https://portal.example/rest/1/" + walkMarker + "/", ClientID: walkMarker}
	client, err := imbot.NewClient(hook)
	require.NoError(t, err)
	batch := imbot.NewBatch()
	pending := imbot.Queue(batch, imbot.AppRegisterRequest{Hash: walkMarker})
	portal := imbottest.NewPortal()
	t.Cleanup(portal.Close)
	portal.Webhook(walkMarker)
	handler := &imbot.EventHandler{Verifier: imbot.ApplicationToken(walkMarker), Logger: logTo(io.Discard)}
	require.Equal(t, 401, deliver(handler, otherEvent), "it is in use")
	_, refused := imbot.ParseEvent(eventPost(formType, "event=X&auth[application_token]="+walkMarker), imbot.ApplicationToken("another"))
	failed := over(t, hook, always(403, `{"error":"X","error_description":"`+walkMarker+`"}`)).Call(t.Context(), "profile", nil, nil)
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: walkMarker, RefreshToken: walkMarker})
	keys, err := imbot.NewKeyring([]byte(walkMarker + strings.Repeat("k", 32-len(walkMarker))))
	require.NoError(t, err)
	ended, end := context.WithCancel(t.Context())
	end()
	return []any{
		keys,
		client.Message.Stream(ended, imbot.MessageAddRequest{}), imbot.StreamCalls{},
		hook, client, client.App, client.Bot, client.Chat, client.Command, client.Message, batch, pending, imbot.Returns[imbot.ID]{},
		imbot.WithUserAgent(walkMarker), imbot.OAuth{Endpoint: "https://portal.example/rest/", Tokens: tokens}, &imbot.OAuthApp{ClientID: "local.1"},
		imbot.Grant{}.WithBookkeeping(walkMarker, time.Time{}, walkMarker), handler, refused, failed, imbot.CallInfo{Err: failed},
		walkRaw(t), portal, portal.Application("local.1", walkMarker), imbottest.WithRateLimit(2, 50),

		bbcode.IconOptions{}, bbcode.ImageSize(""), bbcode.TimeFormat(""), imbot.ActionApp{}, imbot.ActionCall(""),
		imbot.ActionCommand{}, imbot.ActionCopy(""), imbot.ActionDialog(""), imbot.ActionLink(""), imbot.ActionPut(""),
		imbot.ActionSend(""), imbot.AppContext(""), imbot.AppInstallEvent{}, imbot.AppJSMethod(""), imbot.AppLang{},
		imbot.AppRegisterRequest{}, imbot.AppUninstallEvent{}, imbot.AppUnregisterRequest{}, imbot.AppUpdateEvent{},
		imbot.AppUpdateFields{}, imbot.AppUpdateRequest{}, imbot.ApplicationToken(""), imbot.Attach{}, imbot.AvatarType(""),
		imbot.BlockDelimiter{}, imbot.BlockFile{}, imbot.BlockGrid{}, imbot.BlockImage{}, imbot.BlockLink{},
		imbot.BlockMessage(""), imbot.BlockUnknown(""), imbot.BlockUser{}, imbot.Bot{}, imbot.BotDeleteEvent{},
		imbot.BotListRequest{}, imbot.BotProperties{}, imbot.BotPropertiesUpdate{}, imbot.BotRegisterRequest{},
		imbot.BotType(""), imbot.BotUnregisterRequest{}, imbot.BotUpdateFields{}, imbot.BotUpdateRequest{}, imbot.Button{},
		imbot.ButtonContext(""), imbot.ButtonDisplay(""), imbot.ChatAddRequest{}, imbot.ChatAddUsersRequest{},
		imbot.ChatDeleteUserRequest{}, imbot.ChatGetDialogRequest{}, imbot.ChatGetRequest{}, imbot.ChatLeaveRequest{},
		imbot.ChatListUsersRequest{}, imbot.ChatSendTypingRequest{}, imbot.ChatSetManagerRequest{},
		imbot.ChatSetOwnerRequest{}, imbot.ChatType(""), imbot.ChatUpdateAvatarRequest{}, imbot.ChatUpdateColorRequest{},
		imbot.ChatUpdateTitleRequest{}, imbot.Color(""), imbot.ColorToken(""), imbot.CommandAddEvent{},
		imbot.CommandAnswerRequest{}, imbot.CommandLang{}, imbot.CommandRegisterRequest{}, imbot.CommandUnregisterRequest{},
		imbot.CommandUpdateFields{}, imbot.CommandUpdateRequest{}, imbot.ContextGetEvent{}, imbot.ContextParams{},
		imbot.DiagnoseRequest{}, imbot.Dialog{}, imbot.DialogEntityLink{}, imbot.DialogID(""), imbot.DialogPermissions{},
		imbot.DialogPublic{}, imbot.DialogReader{}, imbot.DialogRestrictions{}, imbot.DialogViews{}, imbot.EntityID(""),
		imbot.ErrorCode(""), imbot.EventAuth{}, imbot.EventBot{}, imbot.EventCommand{}, imbot.EventFile{}, imbot.EventMeta{},
		imbot.EventStats{}, imbot.EventUser{}, imbot.FileItem{}, imbot.FileURL(""), imbot.Finding{}, imbot.Flag(""),
		imbot.Gender(""), imbot.GridDisplay(""), imbot.GridItem{}, imbot.ID(0), imbot.IFrameParams{}, imbot.ImageItem{},
		imbot.JoinChatEvent{}, imbot.JoinChatParams{}, imbot.Keyboard{}, imbot.LikeAction(""), imbot.Menu{}, imbot.MenuItem{},
		imbot.MessageAddEvent{}, imbot.MessageAddRequest{}, imbot.MessageDeleteEvent{}, imbot.MessageDeleteRequest{},
		imbot.MessageLikeRequest{}, imbot.MessageParams{}, imbot.MessageUpdateEvent{}, imbot.MessageUpdateRequest{},
		imbot.OK{}, imbot.OpenLine{}, imbot.Quoted{}, imbot.Report{}, imbot.Retry{}, imbot.SlashCommand{}, imbot.SlashCommands{}, imbot.Server{Handler: handler, Events: []imbot.Shutdowner{handler}}, imbot.UnknownEvent{}, imbot.ClassAnswer, imbot.Ahead(2), &imbot.State[string]{Name: "order"}, imbottest.App{}, imbottest.Call{},
		imbottest.Change{}, imbottest.ChangeKind(""), imbottest.Command{}, imbottest.Cut(0), imbottest.Doubt(""), imbottest.Dialog{},
		imbottest.Exchange{}, imbottest.Fault{}, imbottest.File{}, imbottest.Forward{}, imbottest.Message{}, imbottest.Page{}, imbottest.Plan(""), imbottest.QueuedEvent{}, imbottest.Reaction{}, imbottest.Session{}, imbottest.User{},
	}
}

// walkRaw is the body of an event with the marker in it.
func walkRaw(t *testing.T) imbot.RawEvent {
	ev, err := imbot.ParseEvent(eventPost("", `{"event":"X","auth":{"access_token":"`+walkMarker+`"},"data":{"a":"`+walkMarker+`"}}`), trustAll{})
	require.NoError(t, err)
	return ev.Meta().Raw
}

// secretName matches the names of fields that are secrets. ColorToken is the name of
// a color.
var secretName = regexp.MustCompile(`(Token|Secret|Hash|Password|Key|ClientID)$`)

// mark puts the marker into whatever exported field is a secret by its name or type,
// and empty. Lists get one element, pointers something to point to.
func mark(v reflect.Value, raw imbot.RawEvent) {
	switch v.Type() {
	case reflect.TypeFor[imbot.RawEvent]():
		v.Set(reflect.ValueOf(raw))
		return
	case reflect.TypeFor[imbot.FileURL]():
		v.SetString("https://files.example/?token=" + walkMarker)
		return
	case reflect.TypeFor[imbot.ApplicationToken]():
		v.SetString(walkMarker)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field, of := v.Field(i), v.Type().Field(i)
			switch {
			case !field.CanSet():
			case field.Kind() == reflect.String && field.Len() == 0 && secretName.MatchString(of.Name) && of.Type != reflect.TypeFor[imbot.ColorToken]():
				field.SetString(walkMarker)
			default:
				mark(field, raw)
			}
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			mark(v.Index(0), raw)
		}
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
			mark(v.Elem(), raw)
		}
	}
}

// inContainers returns a value, a pointer to it, and both in everything that fmt looks
// into.
func inContainers(pointer reflect.Value) map[string]any {
	all := map[string]any{}
	for kind, v := range map[string]reflect.Value{"value": pointer.Elem(), "pointer": pointer} {
		put := func(name string, container reflect.Value) { all["a "+kind+name] = container.Interface() }
		set := func(container reflect.Value) reflect.Value { container.Set(v); return container }
		slice := reflect.MakeSlice(reflect.SliceOf(v.Type()), 1, 1)
		set(slice.Index(0))
		array := reflect.New(reflect.ArrayOf(1, v.Type()))
		set(array.Elem().Index(0))
		byName := reflect.MakeMap(reflect.MapOf(reflect.TypeFor[string](), v.Type()))
		byName.SetMapIndex(reflect.ValueOf("k"), v)
		structure := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "V", Type: v.Type()}}))
		set(structure.Elem().Field(0))
		held := reflect.New(v.Type())
		put("", v)
		put(" in a slice", slice)
		put(" in an array", array.Elem())
		put(" in a map", byName)
		put(" in a struct", structure.Elem())
		put(" in a pointer", set(held.Elem()).Addr())
		put(" in a pointer to an array", array)
		put(" in a pointer to a struct", structure)
		put(" in a slice of any", reflect.ValueOf([]any{v.Interface()}))
		put(" in a map of slices", reflect.ValueOf(map[string]any{"k": slice.Interface()}))
		put(" in a struct with any", reflect.ValueOf(struct{ V any }{v.Interface()}))
		if v.Comparable() {
			byValue := reflect.MakeMap(reflect.MapOf(v.Type(), reflect.TypeFor[bool]()))
			byValue.SetMapIndex(v, reflect.ValueOf(true))
			put(" as a key", byValue)
		}
	}
	return all
}

// verbs are all letters, with those flags that change what is shown. Before %w of what is
// no error and %p of what is no pointer, which go vet reports, fmt asks no method.
var verbs = func() []string {
	var all []string
	for c := 'a'; c <= 'z'; c++ {
		if c != 'w' && c != 'p' {
			all = append(all, "%"+string(c))
		}
		all = append(all, "%"+strings.ToUpper(string(c)))
	}
	for _, c := range "vxXqsdUt" {
		for _, flag := range []string{"+", "#", " ", "0", "-", "# ", "40", ".60"} {
			all = append(all, "%"+flag+string(c))
		}
	}
	return all
}()

// walkForms are the marker in every form that a verb could give it.
var walkForms = []string{
	walkMarker, base64.RawStdEncoding.EncodeToString([]byte(walkMarker)), hex.EncodeToString([]byte(walkMarker)),
	strings.ToUpper(hex.EncodeToString([]byte(walkMarker))), fmt.Sprintf("% x", walkMarker), fmt.Sprintf("% X", walkMarker),
	fmt.Sprintf("%# x", walkMarker), fmt.Sprintf("%# X", walkMarker), strings.Trim(fmt.Sprint([]byte(walkMarker)), "[]"),
}

// fmtCannot are pointers to the parts of an event that types embed, so that a Format
// of theirs would be promoted and print only that part: EventAuth says so.
var fmtCannot = []string{"imbot.EventBot", "imbot.EventMeta", "imbotv2.BotEvent", "imbotv2.EventBot", "imbotv2.UserEvent"}

func TestNoExportedTypePrintsASecretWhateverTheVerb(t *testing.T) {
	t.Parallel()
	raw := walkRaw(t)
	var names []string
	for _, value := range slices.Concat(walked(t), walkedV2(t), walkedLines(t)) {
		pointer := reflect.ValueOf(value)
		if pointer.Kind() != reflect.Pointer {
			pointer = reflect.New(reflect.TypeOf(value))
			pointer.Elem().Set(reflect.ValueOf(value))
		}
		name, _, _ := strings.Cut(pointer.Type().Elem().String(), "[")
		names = append(names, name)
		mark(pointer.Elem(), raw)
		t.Run(name, func(t *testing.T) {
			leaks := map[string][]string{}
			for where, held := range inContainers(pointer) {
				for _, verb := range verbs {
					text := fmt.Sprintf(verb, held)
					if slices.ContainsFunc(walkForms, func(form string) bool { return strings.Contains(text, form) }) {
						leaks[where] = append(leaks[where], verb)
					}
				}
			}
			if slices.Contains(fmtCannot, name) {
				for where := range leaks {
					require.True(t, strings.HasPrefix(where, "a pointer "), "only a pointer in a container: %s", where)
				}
				require.NotEmpty(t, leaks, "fmt can: take the type out of the exceptions, and out of the comment of EventAuth")
				return
			}
			require.Empty(t, leaks)
		})
	}
	slices.Sort(names)
	require.Equal(t, exportedTypes(t), names, "each exported type is in walked, once")
}

// TestTheWalkFindsSecrets keeps the walk itself honest.
func TestTheWalkFindsSecrets(t *testing.T) {
	t.Parallel()
	type Open struct{ AccessToken string }
	pointer := reflect.ValueOf(new(Open))
	mark(pointer.Elem(), imbot.RawEvent{})
	for where, held := range inContainers(pointer) {
		found := 0
		for _, verb := range verbs {
			if slices.ContainsFunc(walkForms, func(form string) bool { return strings.Contains(fmt.Sprintf(verb, held), form) }) {
				found++
			}
		}
		if !strings.HasSuffix(where, "pointer in a pointer") { // fmt prints an address
			require.Positive(t, found, where)
		}
	}
}

// exportedTypes are the names of the exported types of the packages that users
// import, interfaces aside.
func exportedTypes(t *testing.T) []string {
	var names []string
	for _, folder := range []string{".", "bbcode", "imbottest", "imbottest/messenger", "imbotv2", "openlines"} {
		entries, err := os.ReadDir(folder)
		require.NoError(t, err)
		for _, entry := range entries {
			if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, entry.Name()), nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, decl := range file.Decls {
				general, ok := decl.(*ast.GenDecl)
				if !ok || general.Tok != token.TYPE {
					continue
				}
				for _, spec := range general.Specs {
					typ := spec.(*ast.TypeSpec)
					if typ.Assign.IsValid() {
						continue // another name for what has none, or stands elsewhere
					}
					if _, abstract := typ.Type.(*ast.InterfaceType); typ.Name.IsExported() && !abstract {
						names = append(names, file.Name.Name+"."+typ.Name.Name)
					}
				}
			}
		}
	}
	slices.Sort(names)
	return names
}
