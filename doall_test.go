package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// messages are the requests m0, m1 … and counts how many were read.
func messages(n int, read *int) iter.Seq[imbot.MessageAddRequest] {
	return func(yield func(imbot.MessageAddRequest) bool) {
		for i := range n {
			*read++
			if !yield(say(fmt.Sprintf("m%d", i))) {
				return
			}
		}
	}
}

func TestDoAll(t *testing.T) {
	rt := newBatches(t, ids, nil)
	var read, i int
	for id, err := range imbot.DoAll(t.Context(), over(t, hook, rt), messages(170, &read)) {
		require.NoError(t, err)
		i++
		require.Equal(t, imbot.ID(i), id)
		ahead := (i + 49) / 50 * 50
		require.LessOrEqual(t, read, min(ahead, 170), "never more than one batch ahead")
		require.LessOrEqual(t, len(rt.run), min(ahead, 170))
	}
	require.Equal(t, 170, i)
	require.Equal(t, []int{50, 50, 50, 20}, rt.size)
	for range imbot.DoAll(t.Context(), over(t, hook, rt), messages(0, &read)) {
		t.Fatal("a result of nothing")
	}
}

func TestDoAllStopsWhenTheCallerBreaks(t *testing.T) {
	rt := newBatches(t, ids, nil)
	read, i := 0, 0
	for range imbot.DoAll(t.Context(), over(t, hook, rt), messages(1000, &read)) {
		if i++; i == 60 {
			break
		}
	}
	require.Equal(t, 100, read)
	require.Len(t, rt.run, 100)
}

func TestDoAllErrorsPerElementInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newBatches(t, func(m string, _ bool) string {
			if m == "bad" {
				return `{"error":"ACCESS_ERROR","error_description":""}`
			}
			return ids(m, true)
		}, func(n int) (*http.Response, error) {
			if n == 5 {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, nil
		})
		texts := []string{"m0", "m1", "$result[c0]", "m3", "bad", "x\xff", "m6"}
		for i := 7; i < 120; i++ {
			texts = append(texts, fmt.Sprintf("m%d", i))
		}
		i := 0
		for id, err := range imbot.DoAll(t.Context(), over(t, hook, rt), func(yield func(imbot.MessageAddRequest) bool) {
			for _, text := range texts {
				if !yield(say(text)) {
					return
				}
			}
		}) {
			switch {
			case texts[i] == "bad":
				require.ErrorIs(t, err, imbot.ErrAccess)
			case texts[i] == "x\xff":
				require.ErrorIs(t, err, imbot.ErrInvalid)
			case texts[i] == "$result[c0]":
				require.NoError(t, err)
			case i >= 100:
				require.ErrorIs(t, err, imbot.ErrOutcomeUnknown)
			default:
				require.NoError(t, err)
				require.Equal(t, imbot.ID(i+1), id)
			}
			i++
		}
		require.Equal(t, len(texts), i)
		require.Equal(t, []int{2, 0, 46, 50, 20}, rt.size)
		require.Equal(t, []string{"m0", "m1", "$result[c0]", "m3", "m6"}, rt.run[:5], "the order of execution")
	})
}

func TestDoAllEndsWithItsContext(t *testing.T) {
	rt := newBatches(t, ids, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, fine, ended := 0, 0, 0
	for _, err := range imbot.DoAll(ctx, over(t, hook, rt), messages(1000, &read)) {
		switch {
		case err == nil:
			if fine++; fine == 50 {
				cancel()
			}
		case errors.Is(err, context.Canceled) && errors.Is(err, imbot.ErrNotRun):
			ended++
		}
	}
	require.Equal(t, 50, fine)
	require.Equal(t, 1, ended, "the caller is told that there was more")
	require.Equal(t, 51, read)

	ended = 0
	for _, err := range imbot.DoAll(ctx, over(t, hook, rt), messages(60, &read)) {
		require.ErrorIs(t, err, imbot.ErrNotRun)
		require.ErrorIs(t, err, context.Canceled)
		ended++
	}
	require.Equal(t, 1, ended)
	require.Len(t, rt.requests, 1)
}
