package imbot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// refusal is a call that must not leave the process.
type refusal struct {
	name    string
	attempt attempt
	field   string          // named in the error
	code    imbot.ErrorCode // the portal's own for this mistake, if it has one
}

func testRefused(t *testing.T, tests []refusal) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, sent := mockClient(t, tt.attempt.method, 200, `{"result":true}`)
			_, err := tt.attempt.do(t.Context(), client)
			require.Empty(t, sent(), "it was sent")
			var e *imbot.Error
			require.ErrorAs(t, err, &e)
			require.ErrorIs(t, err, imbot.ErrInvalid)
			require.Equal(t, tt.code, e.Code)
			if tt.code != "" {
				require.ErrorIs(t, err, tt.code)
			}
			require.Zero(t, e.StatusCode)
			require.Zero(t, e.Attempts)
			require.Equal(t, tt.attempt.method, e.Method)
			require.Contains(t, err.Error(), tt.attempt.method)
			require.Contains(t, err.Error(), tt.field)
			require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
			require.Less(t, len(err.Error()), 300, "the error repeats what was refused")
		})
	}
}
