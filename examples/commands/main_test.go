package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDemoPrintsTheConversation(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out))
	require.Equal(t, `Anna writes /lunch
  Lunch: Between what? Try /lunch pizza soup
Anna writes /lunch pizza soup
  Lunch: What shall we eat?
    pizza: 0
    soup: 0
    [pizza] [soup]
    [Close]
Anna Ivanova presses pizza
  Lunch: What shall we eat?
    pizza: 1
    soup: 0
    [pizza] [soup]
    [Close]
Boris Petrov presses soup
  Lunch: What shall we eat?
    pizza: 1
    soup: 1
    [pizza] [soup]
    [Close]
Anna Ivanova presses soup
  Lunch: What shall we eat?
    pizza: 0
    soup: 2
    [pizza] [soup]
    [Close]
Boris Petrov presses Close
  Lunch: What shall we eat?
    pizza: 0
    soup: 2
    The poll is closed.
`, out.String())
}
