package inbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	testLimit = 4 << 20  // of one body
	testMost  = 16 << 20 // of all bodies
)

// A sender sends a body and then, if it stalls, nothing until it is hung up on.
type sender struct {
	io.Reader
	stalls bool
	hungUp chan struct{}
	once   sync.Once
	reads  int
}

func newSender(bytes int, stalls bool) *sender {
	return &sender{Reader: strings.NewReader(strings.Repeat("x", bytes)), stalls: stalls, hungUp: make(chan struct{})}
}

func (s *sender) Read(p []byte) (int, error) {
	s.reads++
	n, err := s.Reader.Read(p)
	if err == io.EOF && s.stalls {
		<-s.hungUp
		return n, errors.New("deadline")
	}
	return n, err
}

func (s *sender) hangUp() { s.once.Do(func() { close(s.hungUp) }) }

// stall sends so many bytes and stalls; the error comes when the body is given up.
func stall(s *Bodies, bytes int) <-chan error {
	from, done := newSender(bytes, true), make(chan error, 1)
	go func() { _, err := s.Read(from, testLimit, testLimit, from.hangUp); done <- err }()
	synctest.Wait()
	return done
}

// whole reads a body that comes at once.
func whole(s *Bodies, bytes int) (*Body, error) {
	from := newSender(bytes, false)
	return s.Read(from, int64(bytes), testLimit, from.hangUp)
}

// event reads a body as an event, which takes as much again.
func event(s *Bodies, bytes int) (*Body, error) {
	b, err := whole(s, bytes)
	if err != nil {
		return nil, err
	}
	return b, b.Reserve(bytes)
}

// heldBy returns what all bodies hold.
func heldBy(s *Bodies) account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// requireNone checks that no room is held by nobody.
func requireNone(t *testing.T, s *Bodies) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Zero(t, s.held)
	require.Zero(t, s.leaving)
	require.Empty(t, s.open)
}

func TestABodyIsReadWhateverItsSenderHasPromised(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, firstRoom - 1, firstRoom, firstRoom + 1, shortBody, shortBody + 1, 1 << 20, testLimit} {
		for name, announced := range map[string]int64{"nothing": -1, "the truth": int64(size), "0": 0, "less": int64(size / 2), "more": int64(size + 1), "the limit": testLimit} {
			t.Run(fmt.Sprint(size, " bytes, promised ", name), func(t *testing.T) {
				text := bytes.Repeat([]byte("abc"), size/3+1)[:size]
				for _, s := range []*Bodies{NewBodies(testMost), new(Bodies)} {
					b, err := s.Read(iotest.HalfReader(bytes.NewReader(text)), announced, testLimit, func() { t.Error("hung up") })
					require.NoError(t, err)
					require.True(t, bytes.Equal(text, b.Bytes))
					if s.most > 0 {
						require.Equal(t, cap(b.Bytes), s.held.all)
					}
					require.NoError(t, b.Reserve(10))
					b.Settle(20)
					b.Close()
					b.Close()
					require.Zero(t, s.held.all)
				}
			})
		}
	}
}

func TestABodyBeyondTheLimitIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	s := NewBodies(testMost)
	from := newSender(testLimit+2, false)
	_, err := s.Read(from, -1, testLimit, from.hangUp)
	require.ErrorIs(t, err, ErrTooLong)
	require.Equal(t, 1, from.Reader.(*strings.Reader).Len())
	_, err = s.Read(iotest.ErrReader(io.ErrUnexpectedEOF), -1, testLimit, nil)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	requireNone(t, s)
}

func TestWhoPromisesMuchAndSendsNothingHoldsLittle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewBodies(testMost)
		from := newSender(0, true)
		go func() { _, _ = s.Read(from, testLimit, testLimit, from.hangUp) }()
		synctest.Wait()
		require.Equal(t, firstRoom, heldBy(s).all)
		from.hangUp()
	})
}

func TestStrangersThatStallMakeWay(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"long ones": testLimit - 1, "middling ones": 300 << 10, "short ones": 40 << 10} {
		t.Run(name, func(t *testing.T) {
			strangers := min(400, 3*testMost/size)
			synctest.Test(t, func(t *testing.T) {
				s := NewBodies(testMost)
				var stalled []<-chan error
				for range strangers {
					stalled = append(stalled, stall(s, size))
					require.LessOrEqual(t, heldBy(s).all, testMost)
					require.LessOrEqual(t, heldBy(s).long, testMost-shortRoom)
					time.Sleep(time.Millisecond)
				}
				for _, genuine := range []int{3_000, shortBody, 1 << 20, testLimit} {
					start := time.Now()
					b, err := event(s, genuine)
					require.NoError(t, err, "%d bytes", genuine)
					require.Zero(t, time.Since(start), "it does not wait for strangers")
					require.LessOrEqual(t, heldBy(s).all, testMost)
					b.Close()
				}
				given := 0
				for _, done := range stalled {
					select {
					case err := <-done:
						require.Equal(t, ErrNoRoom, err)
						given++
					default:
					}
				}
				require.Positive(t, given)
				s.mu.Lock()
				for b := range s.open {
					b.hangUp()
				}
				s.mu.Unlock()
				synctest.Wait()
				requireNone(t, s)
			})
		})
	}
}

func TestTheOneThatHoldsMostForLongestIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewBodies(9 << 20) // 5 for long ones
		old := stall(s, 1<<20)  // each has room for 2 MiB
		for range 20 {
			time.Sleep(time.Second)
			fresh := stall(s, 1<<20)
			time.Sleep(time.Second)
			other := stall(s, 1<<20)
			require.Equal(t, ErrNoRoom, <-old)
			require.Empty(t, fresh)
			require.Empty(t, other)
			s.mu.Lock()
			for b := range s.open {
				if b.since.Equal(time.Now()) {
					b.hangUp() // other leaves
				}
			}
			s.mu.Unlock()
			synctest.Wait()
			old = fresh
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for b := range s.open {
			b.hangUp()
		}
	})
}

// Who verifies is not given up: the room comes back when it is done.
func TestABodyWaitsForThoseThatAreBeingVerified(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewBodies(testMost)
		slow, err := event(s, testLimit)
		require.NoError(t, err)
		time.AfterFunc(2*time.Second, slow.Close)

		start := time.Now()
		b, err := event(s, 3_000)
		require.NoError(t, err)
		require.Zero(t, time.Since(start), "what long ones may not take is there")
		b.Close()

		b, err = event(s, testLimit)
		require.NoError(t, err)
		require.Equal(t, 2*time.Second, time.Since(start))

		start = time.Now()
		_, err = event(s, testLimit)
		require.ErrorIs(t, err, ErrNoRoom)
		require.Equal(t, roomTime, time.Since(start), "not for ever")
		b.Close()
	})
}

func TestShortBodiesThatNeedMuchLeaveRoomToUsualOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewBodies(testMost)
		for range 20 {
			go func() {
				if b, err := whole(s, 40<<10); err == nil {
					if b.Reserve(testMost/8-cap(b.Bytes)) == nil {
						time.Sleep(time.Minute)
					}
					b.Close()
				}
			}()
		}
		synctest.Wait()
		start := time.Now()
		b, err := event(s, 3_000)
		require.NoError(t, err)
		require.Zero(t, time.Since(start))
		b.Close()
		time.Sleep(time.Hour)
		requireNone(t, s)
	})
}

func TestWholeBodiesDoNotWaitForOneAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewBodies(testMost)
		results := make(chan error, 20)
		for range 20 {
			go func() {
				b, err := event(s, 3<<20)
				if err == nil {
					time.Sleep(time.Millisecond)
				}
				if b != nil {
					b.Close()
				}
				results <- err
			}()
		}
		start := time.Now()
		passed := 0
		for range 20 {
			if err := <-results; err == nil {
				passed++
			}
		}
		require.Positive(t, passed)
		require.Less(t, time.Since(start), time.Second)
		requireNone(t, s)
	})
}

func TestNobodyHangsUpOnWhatComesAfterABody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewBodies(testMost)
		var after bool
		from := newSender(testLimit, false)
		b, err := s.Read(from, testLimit, testLimit, func() { require.False(t, after) })
		require.NoError(t, err)
		after = true
		settled, err := event(s, 3<<19)
		require.NoError(t, err)
		other, err := whole(s, 5<<19)
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() {
			require.Equal(t, ErrNoRoom, b.Reserve(1), "it makes way")
			b.Close()
		})
		start := time.Now()
		require.NoError(t, other.Reserve(3<<20))
		require.Equal(t, time.Second, time.Since(start))
		settled.Close()
		other.Close()
		requireNone(t, s)
	})
}

// Many senders of all kinds: the bound holds all the time, and nothing is left.
func TestBodiesHoldTheirBound(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			s := NewBodies(testMost)
			var all sync.WaitGroup
			for range 60 {
				size, stalls, wait := random.IntN(testLimit), random.IntN(2) == 0, time.Duration(random.IntN(1000))*time.Millisecond
				if random.IntN(2) == 0 {
					size = random.IntN(shortBody)
				}
				all.Go(func() {
					time.Sleep(wait)
					from := newSender(size, stalls)
					time.AfterFunc(30*time.Second, from.hangUp)
					b, err := s.Read(from, -1, testLimit, from.hangUp)
					if err != nil {
						return
					}
					defer b.Close()
					if b.Reserve(size) == nil {
						time.Sleep(wait / 10)
						b.Settle(size / 2)
						time.Sleep(wait / 10)
					}
				})
			}
			done := make(chan struct{})
			go func() { all.Wait(); close(done) }()
			for over := false; !over; {
				s.mu.Lock()
				held, open := s.held, len(s.open)
				s.mu.Unlock()
				require.True(t, open == 1 || held.all <= testMost, "%+v", held)
				select {
				case <-done:
					over = true
				case <-time.After(time.Millisecond):
				}
			}
			requireNone(t, s)
		})
	}
}
