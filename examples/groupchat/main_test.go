package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDemoPrintsTheConversation(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out))
	require.Equal(t, `A new chat
  Deal 42, DEAL 42, colour #ba9c7b, picture false, owner Deals
  - Deals
  - Portal Administrator
  - Anna Ivanova
Found by its tags; Boris is invited
  Deal 42, DEAL 42, colour #ba9c7b, picture false, owner Deals
  - Deals
  - Portal Administrator
  - Anna Ivanova
  - Boris Petrov
Handed over
  Won: deal 42, DEAL 42, colour #64a513, picture true, owner Boris Petrov
  the bot is no member and sees nobody
What Anna reads
  Deals: Here we talk about deal 42.
  Deals: Won! Boris Petrov takes over.
`, out.String())
}
