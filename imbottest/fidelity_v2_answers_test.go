package imbottest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

const samplesV2 = "../imbotv2/testdata/rest/"

// rightCalls are calls on newV2Portal that have the documented answers.
var rightCalls = map[string]string{
	"Bot.register": `"fields":{"botToken":"new","code":"new","properties":{"name":"New","lastName":"Bot","workPosition":"Helper","color":"lightBlue","gender":"M"}}`,
	"Bot.update":   asGamma + `,"fields":{"isHidden":true,"properties":{"name":"New"}}`,
	"Bot.get":      asGamma, "Bot.list": `"botToken":"three"`, "Bot.unregister": asGamma,
	"Chat.get": inCrew, "Chat.InputAction.notify": inCrew + `,"statusMessageCode":"IMBOT_AGENT_ACTION_THINKING","duration":30`,
	"Chat.Message.send":   inCrew + `,"fields":{"message":"x"}`,
	"Chat.Message.update": asGamma + `,"messageId":50001,"fields":{"message":"y"}`,
	"Chat.Message.delete": asGamma + `,"messageId":50001`, "Chat.Message.read": inCrew,
	"Command.register": asGamma + `,"fields":{"command":"new","title":{"en":"New"}}`,
	"Command.update":   asGamma + `,"commandId":702,"fields":{"hidden":true}`,
	"Command.list":     asGamma, "Command.unregister": asGamma + `,"commandId":702`,
	"Command.answer": inCrew + `,"commandId":702,"messageId":50001,"fields":{"message":"x"}`,
	"Event.get":      asGamma, "Revision.get": ``,
	"Chat.add":    asGamma + `,"fields":{"type":"open","title":"New","userIds":[101],"color":"lightBlue","message":"hi"}`,
	"Chat.update": inCrew + `,"fields":{"title":"New"}`, "Chat.leave": inCrew, "Chat.setOwner": inCrew + `,"userId":101`,
	"Chat.User.add": inCrew + `,"userIds":[102]`, "Chat.User.delete": inCrew + `,"userId":101`, "Chat.User.list": inCrew,
	"Chat.Manager.add": inCrew + `,"userIds":[101]`, "Chat.Manager.delete": inCrew + `,"userIds":[101]`,
	"Chat.Message.get": `"botToken":"three","botId":106,"messageId":50003`, "Chat.Message.getContext": `"botToken":"three","botId":106,"messageId":50001`,
	"Chat.Message.Reaction.add":    asGamma + `,"messageId":50003,"reaction":"fire"`,
	"Chat.Message.Reaction.delete": asGamma + `,"messageId":50003,"reaction":"like"`,
	"Chat.TextField.enabled":       inCrew + `,"enabled":false`,
	"File.upload":                  inCrew + `,"fields":{"name":"a.png","content":"YQ==","message":"x"}`, "File.download": asGamma + `,"fileId":9001`,
	"im.v2.Event.subscribe": ``, "im.v2.Event.unsubscribe": ``, "im.v2.Event.get": ``,
	"im.v2.File.upload": `"dialogId":"105","fields":{"name":"a.pdf","content":"YQ=="}`, "im.v2.File.download": `"dialogId":"105","fileId":9002`,
}

// TestAnswersOfTheSecondGeneration compares answers with the documented ones: what is
// documented is there, of the same kind, and what else is there is documented of the object.
func TestAnswersOfTheSecondGeneration(t *testing.T) {
	t.Parallel()
	known := knownFields(t)
	for method := range readV2(t) {
		t.Run(method, func(t *testing.T) {
			portal := newV2Portal(t)
			prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"three","code":"seer","type":"supervisor","properties":{"name":"Seer"}}}`)
			prepare(t, portal, `imbot.v2.Chat.User.add {`+inCrew+`,"userIds":[106]}`)
			prepare(t, portal, `im.v2.Event.subscribe {}`)
			m, err := portal.SayFile(t.Context(), anna, crewDialog, "a.txt", []byte("a"), "[USER=105]Gamma[/USER] hi")
			require.NoError(t, err)
			require.EqualValues(t, 50003, m.ID)
			_, err = portal.SayFile(t.Context(), 1, imbot.UserDialog(gamma), "b.txt", []byte("b"), "")
			require.NoError(t, err)
			if method == "im.v2.Chat.Bot.sendContext" {
				return // not documented
			}
			params, ok := rightCalls[strings.TrimPrefix(method, "imbot.v2.")]
			require.True(t, ok, "no call")
			status, body := postTo(t, portal, portal.Webhook("").URL+method, "application/json", "{"+params+"}")
			require.Equal(t, http.StatusOK, status, "%s", body)
			requireLike(t, known, sample(t, samplesV2+method+".ok.json"), string(body))
		})
	}
}

// TestErrorsOfTheSecondGenerationInFull compares whole bodies with those that are documented.
func TestErrorsOfTheSecondGenerationInFull(t *testing.T) {
	t.Parallel()
	calls := map[string]string{
		"Bot.register": `"fields":{"botToken":"new"}`, "Bot.update": `"botToken":"three","botId":99`, "Bot.get": `"botToken":"three","botId":99`,
		"Bot.list": ``, "Bot.unregister": `"botToken":"three","botId":99`, "Chat.get": asGamma + `,"dialogId":"chat1001"`,
		"Chat.InputAction.notify": asGamma + `,"dialogId":"chat1001"`, "Chat.Message.send": inCrew, "Chat.Message.update": asGamma + `,"messageId":9,"fields":{}`,
		"Chat.Message.delete": asGamma + `,"messageId":9`, "Chat.Message.read": asGamma + `,"dialogId":"chat1001"`,
		"Command.register": asGamma + `,"fields":{}`, "Command.update": asGamma + `,"commandId":9,"fields":{}`, "Command.list": `"botToken":"three","botId":99`,
		"Chat.add": `"botToken":"three","botId":99`, "Chat.update": asGamma + `,"dialogId":"chat1001","fields":{"title":"x"}`,
		"Chat.leave": asGamma + `,"dialogId":"chat1001"`, "Chat.setOwner": asGamma + `,"dialogId":"chat1001","userId":101`,
		"Chat.User.add": asGamma + `,"dialogId":"chat1001","userIds":[101]`, "Chat.User.delete": asGamma + `,"dialogId":"chat1001","userId":101`,
		"Chat.User.list": asGamma + `,"dialogId":"chat1001"`, "Chat.Manager.add": asGamma + `,"dialogId":"chat1001","userIds":[101]`,
		"Chat.Manager.delete": asGamma + `,"dialogId":"chat1001","userIds":[101]`, "Chat.Message.get": asGamma + `,"messageId":9`,
		"Chat.Message.getContext": asGamma + `,"messageId":9`, "Chat.Message.Reaction.add": asGamma + `,"messageId":50001,"reaction":"x"`,
		"Chat.Message.Reaction.delete": asGamma + `,"messageId":50001,"reaction":"x"`, "Chat.TextField.enabled": asGamma + `,"dialogId":"chat1001"`,
		"File.download": asGamma + `,"fileId":9`, "im.v2.File.download": `"dialogId":"105","fileId":9`,
		"Command.unregister": asGamma + `,"commandId":9`, "Command.answer": inCrew + `,"commandId":9,"messageId":9`, "Event.get": `"botToken":"three","botId":99`,
	}
	portal := newV2Portal(t)
	prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"three","code":"seer","type":"supervisor","properties":{"name":"Seer"}}}`)
	files, err := filepath.Glob(samplesV2 + "im*.v2.*.error.json")
	require.NoError(t, err)
	for _, file := range files {
		method := strings.TrimSuffix(filepath.Base(file), ".error.json")
		params, ok := calls[strings.TrimPrefix(method, "imbot.v2.")]
		if strings.Contains(sample(t, file), "FILE_TOO_LARGE") {
			continue // TestAFileThatIsTooLarge
		}
		require.True(t, ok, "no call of %s", method)
		delete(calls, strings.TrimPrefix(method, "imbot.v2."))
		status, body := postTo(t, portal, portal.Webhook("").URL+method, "application/json", "{"+params+"}")
		require.Equal(t, http.StatusBadRequest, status, method)
		require.JSONEq(t, sample(t, file), string(body), method)
	}
	require.Empty(t, calls)
}

// knownFields are the names of all documented fields.
func knownFields(t *testing.T) map[string]bool {
	t.Helper()
	data, err := os.ReadFile("../imbotv2/testdata/spec/imbot-v2-entities.json")
	require.NoError(t, err)
	var spec struct {
		Entities []struct{ Fields []struct{ Name string } }
	}
	require.NoError(t, json.Unmarshal(data, &spec))
	known := map[string]bool{}
	for _, e := range spec.Entities {
		for _, f := range e.Fields {
			known[f.Name] = true
		}
	}
	require.NotEmpty(t, known)
	return known
}

func requireLike(t *testing.T, known map[string]bool, documented, got string) {
	t.Helper()
	var want, have any
	require.NoError(t, json.Unmarshal([]byte(documented), &want), documented)
	require.NoError(t, json.Unmarshal([]byte(got), &have), got)
	require.Empty(t, unlike(known, want, have, ""), "%s", got)
}

// unlike lists in what a value is not like the documented one. PHP writes an empty object as
// a list, and null and false stand for what is missing.
func unlike(known map[string]bool, want, got any, at string) (found []string) {
	switch want := want.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if list, empty := got.([]any); !ok && (!empty || len(list) > 0) {
			return []string{at + " is no object"}
		}
		for k, v := range want {
			if inside, there := have[k]; there {
				found = append(found, unlike(known, v, inside, at+"."+k)...)
			} else if k != "time" {
				found = append(found, at+"."+k+" is missing")
			}
		}
		for k := range have {
			if _, documented := want[k]; !documented && !known[k] && len(want) > 0 { // an empty sample stands for any object
				found = append(found, at+"."+k+" is not documented")
			}
		}
		return found
	case []any:
		have, ok := got.([]any)
		if !ok {
			return []string{at + " is no list"}
		}
		for i, v := range have {
			if len(want) > 0 {
				found = append(found, unlike(known, want[0], v, fmt.Sprintf("%s[%d]", at, i))...)
			}
		}
		return found
	case string:
		_, notDate := time.Parse(time.RFC3339, want)
		_, notGot := time.Parse(time.RFC3339, fmt.Sprint(got))
		switch {
		case notDate == nil && notGot == nil, notDate == nil && got == false && strings.HasSuffix(at, "Date"): // false: the portal does not know it
			return nil
		case notDate == nil:
			return []string{fmt.Sprintf("%s is no date: %v", at, got)}
		}
	}
	name := at[strings.LastIndexByte(at, '.')+1:]
	switch {
	case want == nil, got == nil, got == "def0": // the ids of built-in commands are texts
		return nil
	case slices.Contains([]string{"idle", "absent", "phones"}, name) && (want == false || got == false):
		return nil
	}
	if a, b := fmt.Sprintf("%T", want), fmt.Sprintf("%T", got); a != b {
		return []string{fmt.Sprintf("%s is a %s, documented is a %s", at, b, a)}
	}
	return nil
}

// TestObjectsLookLikeTheDocumentedOnes has the objects that the documentation shows by themselves.
func TestObjectsLookLikeTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	known := knownFields(t)
	portal := newV2Portal(t)
	prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"three","code":"seer","type":"supervisor","properties":{"name":"Seer"}}}`)
	prepare(t, portal, `imbot.v2.Chat.User.add {`+inCrew+`,"userIds":[106]}`)
	for object, call := range map[string]struct{ method, params, at string }{
		"bot": {"Bot.get", asGamma, "bot"}, "chat": {"Chat.get", inCrew, "chat"}, "command": {"Command.list", asGamma, "commands.0"},
		"file": {"File.upload", rightCalls["File.upload"], "file"}, "message": {"Chat.Message.get", rightCalls["Chat.Message.getContext"], "message"},
		"user": {"Chat.User.list", inCrew, "0"},
	} {
		var got any
		answer := post(t, portal, "imbot.v2."+call.method, "{"+call.params+"}")
		require.NoError(t, json.Unmarshal([]byte(answer), &got), answer)
		for key := range strings.SplitSeq(call.at, ".") {
			if list, ok := got.([]any); ok {
				got = list[0]
			} else {
				got = got.(map[string]any)[key]
			}
		}
		requireLike(t, known, sample(t, samplesV2+"entity_"+object+".json"), jsonOf(t, got))
	}
	clear(t, portal)
	requireLike(t, known, sample(t, samplesV2+"imbot.v2.Event.get.empty.json"), `{"result":`+post(t, portal, "imbot.v2.Event.get", "{"+asGamma+"}")+"}")
}
