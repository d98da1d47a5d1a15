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
}

// TestAnswersOfTheSecondGeneration compares answers with the documented ones: what is
// documented is there, of the same kind, and what else is there is documented of the object.
func TestAnswersOfTheSecondGeneration(t *testing.T) {
	t.Parallel()
	known := knownFields(t)
	for method := range readV2(t) {
		t.Run(method, func(t *testing.T) {
			portal := newV2Portal(t)
			m, err := portal.Say(t.Context(), anna, crewDialog, "[USER=105]Gamma[/USER] hi")
			require.NoError(t, err)
			require.EqualValues(t, 50003, m.ID)
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
		"Command.unregister": asGamma + `,"commandId":9`, "Command.answer": inCrew + `,"commandId":9,"messageId":9`, "Event.get": `"botToken":"three","botId":99`,
	}
	portal := newV2Portal(t)
	files, err := filepath.Glob(samplesV2 + "imbot.v2.*.error.json")
	require.NoError(t, err)
	for _, file := range files {
		method := strings.TrimSuffix(filepath.Base(file), ".error.json")
		if slices.Contains(notBuilt, method) {
			continue
		}
		params, ok := calls[strings.TrimPrefix(method, "imbot.v2.")]
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
