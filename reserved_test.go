package imbot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// namedUser is a request of somebody who builds on one of ours.
type namedUser struct {
	imbot.ChatUpdateTitleRequest
	Auth string `json:"auth,omitempty"`
}

func TestARequestThatEmbedsOneOfOursHasNoReservedName(t *testing.T) {
	rt := always(200, `{"result":true}`)
	client := over(t, hook, rt)
	req := namedUser{ChatUpdateTitleRequest: imbot.ChatUpdateTitleRequest{ChatID: 5, Title: "x"}, Auth: "somebody else's"}
	_, err := imbot.Do(t.Context(), client, req)
	require.ErrorIs(t, err, imbot.ErrInvalid)
	require.ErrorContains(t, err, "a parameter named auth")
	require.Empty(t, rt.requests)

	req.Auth = ""
	_, err = imbot.Do(t.Context(), client, req)
	require.NoError(t, err)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":5,"TITLE":"x"}`, rt.bodies[0])
}

func TestOnlyTheNamesOfParametersAreReserved(t *testing.T) {
	for name, row := range map[string]struct {
		params  any
		refused bool
	}{
		"a value":                     {map[string]any{"TITLE": "auth", "B": `","auth":"`, "C": `\`}, false},
		"a name deeper down":          {map[string]any{"FIELDS": map[string]any{"auth": 1}, "LIST": []any{"auth", map[string]any{"auth": 1}}}, false},
		"a name that begins with one": {map[string]any{"AUTHOR": 1}, false},
		"behind nested values":        {map[string]any{"A": []any{map[string]any{"B": []int{1}}}, "auth": 1}, true},
		"behind a text with quotes":   {map[string]any{"A": `"\{[`, "auth": 1}, true},
		"an escaped name":             {raw(`{"\u0061uth":1}`), true},
		"a name given twice":          {raw(`{"ID":1,"auth":1,"ID":2}`), true},
	} {
		t.Run(name, func(t *testing.T) {
			err := over(t, hook, always(200, `{"result":true}`)).Call(t.Context(), "crm.lead.list", row.params, nil)
			if row.refused {
				require.ErrorContains(t, err, "a parameter named auth")
			} else {
				require.NoError(t, err)
			}
		})
	}
}

type raw string

func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }
