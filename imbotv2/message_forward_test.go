package imbotv2

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// forwarded is what the portal reads of a forward.
type forwarded struct {
	BotID    imbot.ID
	DialogID imbot.DialogID
	Fields   struct {
		Message, TemplateID string
		ForwardIDs          map[string]imbot.ID
	}
}

func TestForwardsHaveUUIDsInTheirOrder(t *testing.T) {
	t.Parallel()
	d := &documented{body: func(string) string { return `{"result":{"id":null,"uuidMap":{"` + someUUID + `":"790"}}}` }}
	ids := []imbot.ID{9, 2, 7, 100, 1}
	var sent [2]forwarded
	for i := range sent {
		r, err := d.client(t).WithBot(5).Message.Forward(t.Context(), MessageForwardRequest{DialogID: "chat5", ForwardIDs: ids})
		require.NoError(t, err)
		require.Equal(t, MessageForwardResult{UUIDMap: map[string]imbot.ID{someUUID: 790}}, r)
		require.NoError(t, json.Unmarshal([]byte(d.sent[i]), &sent[i]))
		require.Equal(t, imbot.ID(5), sent[i].BotID)
		require.Equal(t, imbot.DialogID("chat5"), sent[i].DialogID)
		require.Empty(t, sent[i].Fields.TemplateID, "there is no message beside them")
		var inOrder []imbot.ID
		for _, uuid := range slices.Sorted(maps.Keys(sent[i].Fields.ForwardIDs)) {
			require.Regexp(t, isTemplateID, uuid)
			inOrder = append(inOrder, sent[i].Fields.ForwardIDs[uuid])
		}
		require.Equal(t, ids, inOrder)
	}
	for uuid := range sent[0].Fields.ForwardIDs {
		require.NotContains(t, sent[1].Fields.ForwardIDs, uuid, "another call forwards again")
	}
}

func TestAForwardWithAMessageHasItsTemplateID(t *testing.T) {
	t.Parallel()
	d := &documented{body: func(string) string { return `{"result":{"id":789,"uuidMap":[]}}` }}
	r, err := d.client(t).Message.Forward(t.Context(), MessageForwardRequest{BotID: 6, DialogID: "27", Message: "see", ForwardIDs: []imbot.ID{9}})
	require.NoError(t, err)
	require.Equal(t, MessageForwardResult{ID: 789}, r)
	var sent forwarded
	require.NoError(t, json.Unmarshal([]byte(d.sent[0]), &sent))
	require.Equal(t, "see", sent.Fields.Message)
	require.Regexp(t, isTemplateID, sent.Fields.TemplateID)
}
