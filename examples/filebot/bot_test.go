package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image/png"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// huge is the beginning of a picture that says it is too large to be decoded.
func huge() []byte {
	content := sunset()
	binary.BigEndian.PutUint32(content[16:], 1<<20)
	return content
}

func TestPicturesComeBackInGrey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- run(ctx, portal.Webhook("a-random-token"), imbot.WithHTTPClient(portal.HTTPClient())) }()
		defer func() { stop(); require.NoError(t, errors.Join(<-ended, portal.Err())) }()
		bot, err := portal.WaitBot(ctx, "grey")
		require.NoError(t, err)
		anna := portal.AddUser("Anna", "Ivanova")
		send := func(name string, content []byte) imbottest.Message {
			sent, err := portal.SayFile(ctx, anna, imbot.UserDialog(bot), name, content, "look")
			require.NoError(t, err)
			answer, err := portal.WaitAnswer(ctx, anna, sent)
			require.NoError(t, err)
			return answer
		}
		answer := send("sunset.png", sunset())
		require.Equal(t, "grey.png", answer.Files[0].Name)
		require.Zero(t, colors(answer.Files[0].Content))
		picture, err := png.Decode(bytes.NewReader(answer.Files[0].Content))
		require.NoError(t, err)
		require.Equal(t, "(0,0)-(64,48)", picture.Bounds().String())
		for name, content := range map[string][]byte{"notes.txt": []byte("milk"), "broken.png": sunset()[:60], "huge.png": huge()} {
			require.Equal(t, "That is no picture I can read.", send(name, content).Plain(), name)
		}
		require.Equal(t, "That is too large: I take 10 MB.", send("film.bin", make([]byte, mostBytes+1)).Plain())
		answer, err = portal.Ask(ctx, anna, imbot.UserDialog(bot), "hello")
		require.NoError(t, err)
		require.Equal(t, "Send me a picture.", answer.Plain())
	})
}

func TestDemo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		require.NoError(t, demo(t.Context(), &out))
		require.Equal(t, `Anna  sunset.png, 64 × 48 pixels, 49 colors
Grey  grey.png, 64 × 48 pixels, 0 colors
Anna  notes.txt, 11 bytes
Grey  That is no picture I can read.
Anna  film.bin, 10485761 bytes
Grey  That is too large: I take 10 MB.
`, out.String())
	})
}

func TestABotThatFailsKeepsNobodyWaiting(t *testing.T) {
	portal := imbottest.NewPortal(imbottest.WithScope("user"))
	defer portal.Close()
	require.ErrorIs(t, play(t.Context(), portal, nil), imbot.ErrInsufficientScope)
}
