package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDemoPrintsTheConversation(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out))
	require.Equal(t, `  Showcase: The ticket in full. Without its blocks it is: Ticket 7 (https://example.com/t/7)
    | Anna Ivanova <https://example.com/anna>
    | Ticket 7: The printer is on fire <https://example.com/t/7>
    | It is in room 5 / C:\new\[draft]
    | ---------------
    | Status: burning; Floor: 2; Since: this morning
    | picture Smoke <https://example.com/smoke.jpg>
    | file report.pdf, 1500000 bytes <https://example.com/report.pdf>
    [Ready] [Open]
    [Send] [Draft] [Copy]
    [Call]
    [Private]
    [Off]
    … Open
    … Copy
Anna presses Send
Anna presses Open
  the button "Open" does nothing on the portal: it opens https://example.com/t/7
Anna presses Draft
  the button "Draft" does nothing on the portal: it puts "The printer " into the input field
Anna presses Copy
  the button "Copy" does nothing on the portal: it copies "Ticket 7"
Anna presses Call
  the button "Call" does nothing on the portal: it calls +15550100
Anna presses Private
  the button "Private" does nothing on the portal: it opens the dialog 1
Anna presses Off
  the button "Off" is disabled
Anna presses Ready
The whole dialog
  Anna Ivanova: ticket 7
  Showcase: Done, Anna Ivanova.
    … Open
    … Copy
  Anna Ivanova: I will have a look
`, out.String())
}
