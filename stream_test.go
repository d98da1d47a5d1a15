package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

// stage is a portal of the basic plan with a bot that streams to people.
type stage struct {
	portal *imbottest.Portal
	people []imbot.ID
	bot    imbot.ID
	stream func(ctx context.Context, person int, keyboard *imbot.Keyboard) *imbot.Stream
	client *imbot.Client
	took   time.Duration // of each request

	mu       sync.Mutex
	requests []streamRequest // that show the streams
}

// streamRequest is an HTTP request by when it was sent and how many calls of a kind it has.
type streamRequest struct {
	at                  time.Time
	adds, edits, typing int
}

func (s *stage) RoundTrip(r *http.Request) (*http.Response, error) {
	before := len(s.portal.Calls(""))
	at := time.Now()
	answer, err := s.portal.HTTPClient().Transport.RoundTrip(r)
	sent := streamRequest{at: at}
	for _, call := range s.portal.Calls("")[before:] {
		switch strings.ToLower(call.Method) {
		case "imbot.message.add", "imbot.v2.chat.message.send":
			sent.adds++
		case "imbot.message.update", "imbot.v2.chat.message.update":
			sent.edits++
		case "imbot.chat.sendtyping", "imbot.v2.chat.inputaction.notify":
			sent.typing++
		}
	}
	s.mu.Lock()
	s.requests = append(s.requests, sent)
	s.mu.Unlock()
	time.Sleep(s.took)
	return answer, err
}

var generations = map[string]func(t *testing.T, s *stage, opts ...imbot.Option){
	"imbot": func(t *testing.T, s *stage, opts ...imbot.Option) {
		client, err := imbot.NewClient(s.portal.Webhook("a-long-random-client-id"), opts...)
		require.NoError(t, err)
		s.bot, err = imbot.EnsureBot(t.Context(), client, imbot.BotRegisterRequest{
			Code: "writer", EventHandler: "https://bot.example.com/", Properties: imbot.BotProperties{Name: "Writer"}})
		require.NoError(t, err)
		s.client = client.WithBot(s.bot)
		s.stream = func(ctx context.Context, person int, keyboard *imbot.Keyboard) *imbot.Stream {
			return client.WithBot(s.bot).Message.Stream(ctx, imbot.MessageAddRequest{DialogID: imbot.UserDialog(s.people[person]), Keyboard: keyboard})
		}
	},
	"imbotv2": func(t *testing.T, s *stage, opts ...imbot.Option) {
		client, err := imbotv2.NewClient(s.portal.Webhook("a-long-random-client-id"), opts...)
		require.NoError(t, err)
		bot, err := imbotv2.EnsureBot(t.Context(), client, imbotv2.BotRegisterRequest{Code: "writer", Properties: imbotv2.BotProperties{Name: "Writer"}})
		require.NoError(t, err)
		s.bot, s.client = bot.ID, client.Base().WithBot(bot.ID)
		s.stream = func(ctx context.Context, person int, keyboard *imbot.Keyboard) *imbot.Stream {
			return client.WithBot(s.bot).Message.Stream(ctx, imbotv2.MessageSendRequest{DialogID: imbot.UserDialog(s.people[person]), Keyboard: keyboard})
		}
	},
}

// onStage runs a test in fake time for each generation.
func onStage(t *testing.T, people int, test func(t *testing.T, s *stage), opts ...imbot.Option) {
	t.Helper()
	for name, begin := range generations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &stage{portal: imbottest.NewPortal(imbottest.WithRateLimit(imbottest.PlanBasic.RateLimit()))}
				defer s.portal.Close()
				begin(t, s, append(opts, imbot.WithHTTPClient(&http.Client{Transport: s}))...)
				s.portal.Serve("https://bot.example.com/", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
				for i := range people {
					s.people = append(s.people, s.portal.AddUser("Person", fmt.Sprint(i)))
					_, err := s.portal.Say(t.Context(), s.people[i], imbot.UserDialog(s.bot), "Tell me.")
					require.NoError(t, err)
				}
				time.Sleep(time.Minute) // the bucket is full again
				s.requests = nil
				test(t, s)
				synctest.Wait() // the streams' goroutine is gone, or the bubble would not end
			})
		})
	}
}

// shown returns the texts of the bot that a person sees.
func (s *stage) shown(person int) (messages []imbottest.Message) {
	for _, m := range s.portal.Messages(s.people[person], imbot.UserDialog(s.bot)) {
		if m.AuthorID == s.bot {
			messages = append(messages, m)
		}
	}
	return messages
}

// count returns how many requests there were, how many edits in them, and how many requests
// of edits and notices only.
func (s *stage) count() (requests, edits int, only []time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if edits += r.edits; r.adds == 0 {
			only = append(only, r.at)
		}
	}
	return len(s.requests), edits, only
}

var stopButton = &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "Stop", Action: imbot.ActionCommand{Command: "stop"}}}}}

// speak writes an answer of so many seconds, a word each 50 ms.
func speak(answer *imbot.Stream, seconds int) (text string, err error) {
	for i := range 20 * seconds {
		word := fmt.Sprintf("word%d ", i)
		if _, err := answer.WriteString(word); err != nil {
			return text, err
		}
		text += word
		time.Sleep(50 * time.Millisecond)
	}
	return text, nil
}

func TestManyAnswersAtOnceTakeAsLongAsOne(t *testing.T) {
	t.Parallel()
	const length = 15 * time.Second
	for _, took := range []time.Duration{0, time.Second} {
		for _, row := range []struct {
			people   int
			most     float64 // of length, with an instant portal
			slow     float64 // … with one that takes 1 s
			requests int     // with an instant portal
		}{{1, 1.02, 1.2, 13}, {5, 1.02, 1.2, 15}, {20, 1.02, 1.2, 16}, {60, 1.1, 1.2, 30}, {200, 1.1, 1.45, 40}} {
			t.Run(fmt.Sprintf("%d people, %v a request", row.people, took), func(t *testing.T) {
				t.Parallel()
				onStage(t, row.people, func(t *testing.T, s *stage) {
					s.took = took
					begin := time.Now()
					var all sync.WaitGroup
					for i := range row.people {
						all.Go(func() {
							answer := s.stream(t.Context(), i, stopButton)
							text, err := speak(answer, 15)
							require.NoError(t, errors.Join(err, answer.Close()))
							shown := s.shown(i)
							require.Len(t, shown, 1)
							require.Equal(t, strings.TrimSpace(text), shown[0].Text)
							require.Empty(t, shown[0].Keyboard.Rows)
						})
					}
					all.Wait()
					requests, edits, only := s.count()
					t.Logf("%v, %d requests, %d edits", time.Since(begin), requests, edits)
					most := row.most
					if took > 0 {
						most = row.slow
					} else {
						require.LessOrEqual(t, requests, row.requests)
					}
					require.LessOrEqual(t, time.Since(begin).Seconds(), most*length.Seconds())
					for i := range only[1:max(1, len(only)-1)] { // the last one is the final text
						if took == 0 && only[i+1].Before(begin.Add(length)) {
							require.GreaterOrEqual(t, only[i+1].Sub(only[i]), time.Second)
						}
					}
				})
			})
		}
	}
}

// The bucket is empty after some of them.
func TestPeopleWhoComeOneAfterAnother(t *testing.T) {
	t.Parallel()
	onStage(t, 60, func(t *testing.T, s *stage) {
		var all sync.WaitGroup
		for i := range s.people {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 250 * time.Millisecond)
				answer := s.stream(t.Context(), i, nil)
				time.Sleep(300 * time.Millisecond)
				begin := time.Now()
				time.AfterFunc(800*time.Millisecond, func() { require.NotEmpty(t, s.shown(i), "the first text is late") })
				_, err := speak(answer, 15)
				require.NoError(t, errors.Join(err, answer.Close()))
				require.LessOrEqual(t, time.Since(begin), 16500*time.Millisecond, "1.1 times the answer; mostly it takes 15.4 s")
			})
		}
		all.Wait()
	})
}

func TestAStreamThatIsStopped(t *testing.T) {
	t.Parallel()
	onStage(t, 1, func(t *testing.T, s *stage) {
		ctx, cancel := context.WithCancelCause(t.Context())
		answer := s.stream(ctx, 0, stopButton)
		pressed := errors.New("pressed")
		var at time.Time
		time.AfterFunc(5010*time.Millisecond, func() { at = time.Now(); cancel(pressed) })
		text, err := speak(answer, 15)
		require.ErrorIs(t, err, pressed)
		require.NoError(t, answer.Close())
		require.LessOrEqual(t, time.Since(at), 100*time.Millisecond)
		shown := s.shown(0)
		require.Len(t, shown, 1)
		require.Equal(t, strings.TrimSpace(text)+" …", shown[0].Text)
		require.Empty(t, shown[0].Keyboard.Rows)
		require.Equal(t, []imbot.ID{shown[0].ID}, answer.IDs())
		require.NoError(t, answer.Close(), "again")
	})
}

func TestAStreamOfALongText(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]string{"words": "some words more ", "Cyrillic": "несколько слов ", "references": "a $result[x] & <b> "} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, 1, func(t *testing.T, s *stage) {
				again := &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "Again", Action: imbot.ActionCommand{Command: "again"}}}}}
				answer := s.stream(t.Context(), 0, stopButton)
				answer.Final = again
				var text strings.Builder
				for text.Len() < 45_000*len(row)/len([]rune(row)) {
					words := strings.Repeat(row, 10)
					text.WriteString(words)
					_, err := answer.Write([]byte(words))
					require.NoError(t, err)
					time.Sleep(150 * time.Millisecond)
				}
				require.NoError(t, answer.Close())
				shown := s.shown(0)
				want := bbcode.Split(bbcode.Markdown(text.String()))
				require.Len(t, shown, len(want))
				for i, m := range shown {
					require.Equal(t, strings.TrimSpace(want[i]), strings.TrimSpace(m.Text))
					require.Equal(t, i == len(shown)-1, len(m.Keyboard.Rows) > 0)
				}
				requests, _, _ := s.count()
				t.Logf("%d requests", requests)
				require.LessOrEqual(t, requests, 45)
				require.Len(t, answer.IDs(), len(want))
			})
		})
	}
}

func TestAStreamWithBadInput(t *testing.T) {
	t.Parallel()
	say := func(parts ...string) func(*testing.T, *stage, *imbot.Stream) {
		return func(t *testing.T, _ *stage, answer *imbot.Stream) {
			for _, part := range parts {
				_, err := answer.WriteString(part)
				require.NoError(t, err)
				time.Sleep(1500 * time.Millisecond)
			}
			require.NoError(t, answer.Close())
		}
	}
	for _, row := range []struct {
		name string
		do   func(*testing.T, *stage, *imbot.Stream)
		want []string
	}{
		{"half a character at the end of a write", say("sch\xc3", "\xb6n \xf0\x9f", "\x98\x80"), []string{"schön 😀"}},
		{"half a character at the end of the text", say("sch\xc3"), []string{"sch"}},
		{"bytes that are no text", say("a\xff", "b"), []string{"a\uFFFDb"}},
		{"a fence that nobody closes", say("x\n```go\nfunc", " main"), []string{strings.TrimSpace(bbcode.Markdown("x\n```go\nfunc main"))}},
		{"a reference to a result", say("a $result[x]", " b $result[0][id]"), []string{strings.TrimSpace(bbcode.Markdown("a $result[x] b $result[0][id]"))}},
		{"entities", say("&lt;", "b&gt; &amp;"), []string{bbcode.Markdown("&lt;b&gt; &amp;")}},
		{"nothing", say(), nil},
		{"nothing to see", say(" ", "\n\n"), nil},
		{"a write after Close", func(t *testing.T, s *stage, answer *imbot.Stream) {
			say("all")(t, s, answer)
			_, err := answer.Write([]byte("more"))
			require.Error(t, err)
			require.NoError(t, answer.Close(), "a second Close")
		}, []string{"all"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			onStage(t, 1, func(t *testing.T, s *stage) {
				row.do(t, s, s.stream(t.Context(), 0, nil))
				var texts []string
				for _, m := range s.shown(0) {
					texts = append(texts, m.Text)
				}
				require.Equal(t, row.want, texts)
			})
		})
	}
}

func TestAStreamWhoseContextHasEndedShowsNothing(t *testing.T) {
	t.Parallel()
	onStage(t, 1, func(t *testing.T, s *stage) {
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		cancel(gone)
		answer := s.stream(ctx, 0, stopButton)
		_, err := answer.WriteString("text")
		require.ErrorIs(t, err, gone)
		require.NoError(t, answer.Close())
		require.Empty(t, s.requests)
	})
}

func TestAStreamThatThePortalRefuses(t *testing.T) {
	t.Parallel()
	onStage(t, 1, func(t *testing.T, s *stage) {
		answer := s.stream(t.Context(), 0, nil)
		s.portal.Fail("", imbottest.Fault{Code: "ACCESS_DENIED", Times: -1})
		_, err := speak(answer, 3)
		require.ErrorIs(t, err, imbot.ErrAccessDenied)
		require.ErrorIs(t, answer.Close(), imbot.ErrAccessDenied)
		requests, _, _ := s.count()
		require.Equal(t, 1, requests)
	})
}

// While the model thinks people see that the bot is there, at the price of one request for all.
func TestAStreamShowsThatTheBotWrites(t *testing.T) {
	t.Parallel()
	onStage(t, 20, func(t *testing.T, s *stage) {
		var all sync.WaitGroup
		for i := range s.people {
			all.Go(func() {
				answer := s.stream(t.Context(), i, nil)
				time.Sleep(12 * time.Second)
				_, err := answer.WriteString("done")
				require.NoError(t, errors.Join(err, answer.Close()))
			})
		}
		all.Wait()
		typing := 0
		for _, r := range s.requests {
			typing += r.typing
		}
		require.Equal(t, 40, typing)
		require.LessOrEqual(t, len(s.requests), 4)
	})
}

func TestNoAnswerIsHalfInATroubledPortal(t *testing.T) {
	t.Parallel()
	for seed := range 10 {
		t.Run(fmt.Sprint("seed ", seed+1), func(t *testing.T) {
			t.Parallel()
			onStage(t, 20, func(t *testing.T, s *stage) {
				s.portal.Chaos(0.1)
				var all sync.WaitGroup
				for i := range s.people {
					all.Go(func() {
						time.Sleep(time.Duration(i) * 300 * time.Millisecond)
						answer := s.stream(t.Context(), i, stopButton)
						text, err := speak(answer, 15)
						require.NoError(t, errors.Join(err, answer.Close()))
						shown := s.shown(i)
						require.NotEmpty(t, shown)
						last := shown[len(shown)-1]
						require.Equal(t, strings.TrimSpace(text), last.Text)
						require.Empty(t, last.Keyboard.Rows)
					})
				}
				all.Wait()
			})
		})
	}
}

// The clients of one portal share requests, whichever way each of them was made.
func TestCopiesOfAClientShareRequests(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]imbot.Option{"": nil, "with automatic batches": {imbot.WithAutoBatch()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, 2, func(t *testing.T, s *stage) {
				second := imbotv2.From(s.client).WithBot(s.bot)
				var all sync.WaitGroup
				for _, answer := range []*imbot.Stream{
					s.stream(t.Context(), 0, nil),
					second.Message.Stream(t.Context(), imbotv2.MessageSendRequest{DialogID: imbot.UserDialog(s.people[1])}),
				} {
					all.Go(func() {
						_, err := speak(answer, 5)
						require.NoError(t, errors.Join(err, answer.Close()))
					})
				}
				all.Wait()
				requests, edits, _ := s.count()
				require.LessOrEqual(t, requests, 7)
				require.Greater(t, edits, requests, "they travel together")
				require.Len(t, s.shown(1), 1)
			}, opts...)
		})
	}
}

// What the portal has stored of a first message whose answer got lost: the second generation
// knows it again, the first one adds another.
func TestAFirstMessageWhoseAnswerGetsLost(t *testing.T) {
	t.Parallel()
	onStage(t, 1, func(t *testing.T, s *stage) {
		s.portal.Fail("imbot.message.add", imbottest.Fault{Cut: imbottest.AfterRun})
		s.portal.Fail("imbot.v2.Chat.Message.send", imbottest.Fault{Cut: imbottest.AfterRun})
		answer := s.stream(t.Context(), 0, stopButton)
		text, err := speak(answer, 3)
		require.NoError(t, errors.Join(err, answer.Close()))
		shown := s.shown(0)
		require.Len(t, shown, map[bool]int{true: 1, false: 2}[strings.HasSuffix(t.Name(), "v2")])
		last := shown[len(shown)-1]
		require.Equal(t, strings.TrimSpace(text), last.Text)
		require.Empty(t, last.Keyboard.Rows)
		require.Equal(t, []imbot.ID{last.ID}, answer.IDs())
	})
}

// A stream of messages of another kind.
func TestNewStream(t *testing.T) {
	t.Parallel()
	onStage(t, 1, func(t *testing.T, s *stage) {
		dialog := imbot.UserDialog(s.people[0])
		add := func(n int, text string, _ *imbot.Keyboard) imbot.Request[imbot.ID] {
			return imbot.MessageAddRequest{BotID: s.bot, DialogID: dialog, Message: fmt.Sprint(n, ": ", text)}
		}
		update := func(id imbot.ID, text string, _ *imbot.Keyboard) imbot.Request[imbot.OK] {
			return imbot.MessageUpdateRequest{BotID: s.bot, MessageID: id, Message: &text}
		}
		told := map[int]imbot.ID{}
		answer := imbot.NewStream(t.Context(), s.client, imbot.StreamCalls{Add: add, Update: update, ID: func(n int, id imbot.ID) { told[n] = id }}, nil)
		time.Sleep(time.Minute)
		require.Empty(t, s.requests, "no notice without Typing")
		_, err := answer.WriteString("text")
		require.NoError(t, errors.Join(err, answer.Close()))
		require.Equal(t, "0: text", s.shown(0)[0].Text)
		require.Equal(t, answer.IDs()[0], told[0])
	})
}

// Code of the user that panics ends the answer, not the program.
func TestAStreamWhoseCallsPanic(t *testing.T) {
	t.Parallel()
	onStage(t, 1, func(t *testing.T, s *stage) {
		calls := imbot.StreamCalls{Add: func(int, string, *imbot.Keyboard) imbot.Request[imbot.ID] { panic("boom") }}
		answer := imbot.NewStream(t.Context(), s.client, calls, nil)
		_, err := answer.WriteString("text")
		require.NoError(t, err)
		require.ErrorContains(t, answer.Close(), "boom")
	}, imbot.WithLogger(logTo(io.Discard)))
}

// A model that panics leaves no Stop button behind where Close is deferred.
func TestADeferredCloseTakesTheKeyboardAway(t *testing.T) {
	t.Parallel()
	onStage(t, 1, func(t *testing.T, s *stage) {
		require.PanicsWithValue(t, "boom", func() {
			answer := s.stream(t.Context(), 0, stopButton)
			defer func() { _ = answer.Close() }()
			_, err := answer.WriteString("so far")
			require.NoError(t, err)
			time.Sleep(3 * time.Second)
			require.NotEmpty(t, s.shown(0)[0].Keyboard.Rows)
			panic("boom")
		})
		require.Equal(t, "so far", s.shown(0)[0].Text)
		require.Empty(t, s.shown(0)[0].Keyboard.Rows)
	})
}

// A message that is there, and nobody knows where, must not be sent again.
func TestAFirstMessageWithoutAnID(t *testing.T) {
	t.Parallel()
	onStage(t, 1, func(t *testing.T, s *stage) {
		for _, method := range []string{"imbot.message.add", "imbot.v2.Chat.Message.send"} {
			s.portal.Fail(method, imbottest.Fault{Body: `{"result":[]}`, Times: -1})
		}
		answer := s.stream(t.Context(), 0, nil)
		_, err := answer.WriteString("text")
		require.NoError(t, err)
		require.Error(t, answer.Close())
		require.Len(t, s.requests, 1)
	})
}

func TestFirstAndLastTextsAreAnswers(t *testing.T) {
	t.Parallel()
	for name := range generations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &stage{portal: imbottest.NewPortal()}
				defer s.portal.Close()
				seen := new(classes)
				generations[name](t, s, imbot.WithLimiter(seen), imbot.WithHTTPClient(s.portal.HTTPClient()))
				s.people = []imbot.ID{s.portal.AddUser("Anna", "Ivanova")}
				*seen = nil
				answer := s.stream(t.Context(), 0, nil)
				_, err := speak(answer, 5)
				require.NoError(t, errors.Join(err, answer.Close()))
				between := imbot.ClassNormal
				require.Equal(t, classes{imbot.ClassAnswer, between, between, between, between, imbot.ClassAnswer}, *seen)
			})
		})
	}
}

func TestAnAttachmentIsUnderTheFirstMessage(t *testing.T) {
	t.Parallel()
	onStage(t, 1, func(t *testing.T, s *stage) {
		attach := &imbot.Attach{Blocks: []imbot.Block{imbot.BlockMessage("source")}}
		answer := s.client.Message.Stream(t.Context(), imbot.MessageAddRequest{DialogID: imbot.UserDialog(s.people[0]), Attach: attach})
		_, err := answer.WriteString(strings.Repeat("some words ", 2500))
		require.NoError(t, errors.Join(err, answer.Close()))
		shown := s.shown(0)
		require.Len(t, shown, 2)
		require.NotEmpty(t, shown[0].Attach.Blocks)
		require.Empty(t, shown[1].Attach.Blocks)
	})
}
