package inbox

import (
	"errors"
	"io"
	"sync"
	"time"
)

// Bodies bounds the memory that bodies take together from their first byte until it is
// known whether they are genuine: who sends them is a stranger until then. The zero
// Bodies has no bound.
//
// When there is no room for what still comes in, the body is given up that has held
// most for longest (bytes × time): a genuine one is short or comes fast. One that has
// come in whole waits for its room, and what still comes in makes way for it.
type Bodies struct {
	most  int // bytes of all bodies; 0: no bound
	large int // of these, of all bodies that are long, so that short ones find room

	mu      sync.Mutex
	held    account            // by all open bodies
	leaving account            // of held, by those that are given up and do not know it yet
	open    map[*Body]struct{} // in no order
	changed chan struct{}      // closed at the next change; nil while nobody waits for one
}

// An account is a number of bytes.
type account struct{ all, long int }

const (
	firstRoom = 8 << 10    // for a body that has sent nothing yet; usual ones have less
	shortBody = 64 << 10   // up to this a body is short,
	shortRead = 512 << 10  // unless it needs more than this to be read as an event
	shortRoom = 4 << 20    // what long bodies leave to short ones
	roomTime  = VerifyTime // how long a body waits for room: whatever is being verified now is gone by then
)

// The errors of [Bodies.Read] that do not come from the sender.
var (
	ErrNoRoom  = errors.New("too many bodies come in at a time")
	ErrTooLong = errors.New("the body is too long")
)

// NewBodies returns a bound of so many bytes. One body alone may take more.
func NewBodies(most int) *Bodies {
	return &Bodies{most: most, large: max(most-shortRoom, most/2), open: map[*Body]struct{}{}}
}

// A Body is one that comes in, or has.
type Body struct {
	Bytes []byte // what has come in; nil after Settle

	all   *Bodies
	since time.Time

	// The mutex of all guards what follows.
	hangUp func() // nil: nobody reads
	held   int
	long   bool
	stage  stage
	gone   bool // it was given up
}

// stage is how far a body has come.
type stage int

const (
	comes   stage = iota // from the sender
	waits                // it is whole, and waits for room to be read as an event
	settled              // it has that room and keeps it
)

// Read reads a body of at most limit bytes. announced is how many the sender has
// promised, which it may not keep; -1: none. hangUp makes a Read of r return, and is
// not called after Read. The caller closes the body.
func (s *Bodies) Read(r io.Reader, announced, limit int64, hangUp func()) (*Body, error) {
	b := &Body{all: s, since: time.Now(), hangUp: hangUp}
	if s.most > 0 {
		s.mu.Lock()
		s.open[b] = struct{}{}
		s.mu.Unlock()
	}
	err := b.read(r, announced, limit)
	s.mu.Lock()
	b.hangUp = nil // what comes next on the connection is no business of the body
	if b.gone {
		err = ErrNoRoom // and not what hanging up has led to
	} else {
		b.stage = waits
	}
	s.mu.Unlock()
	if err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func (b *Body) read(r io.Reader, announced, limit int64) error {
	for {
		if size := int64(len(b.Bytes)); size == int64(cap(b.Bytes)) {
			room := min(max(firstRoom, 4*size), limit+1) // one more than there may be, to see the end
			if announced >= size {
				room = min(room, announced+1)
			}
			if err := b.grow(int(room)); err != nil {
				return err
			}
		}
		n, err := r.Read(b.Bytes[len(b.Bytes):cap(b.Bytes)])
		b.Bytes = b.Bytes[:len(b.Bytes)+n]
		switch {
		case int64(len(b.Bytes)) > limit:
			return ErrTooLong
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// grow gets room for so many bytes in a row.
func (b *Body) grow(room int) error {
	before := cap(b.Bytes)
	if err := b.take(room, room > shortBody); err != nil {
		return err
	}
	b.Bytes = append(make([]byte, 0, room), b.Bytes...)
	b.all.mu.Lock()
	defer b.all.mu.Unlock()
	b.all.change(b, -before)
	return nil
}

// Reserve gets room for what the body needs to be read as an event, n bytes beside its
// own. It waits for that until the bodies that are being verified are gone.
func (b *Body) Reserve(n int) error { return b.take(n, n > shortRead) }

// Settle says that the body was read, and that n bytes are what is left of it.
func (b *Body) Settle(n int) {
	b.Bytes = nil
	b.all.mu.Lock()
	defer b.all.mu.Unlock()
	b.all.change(b, n-b.held)
}

// Close gives the room of the body back. It may be called again.
func (b *Body) Close() {
	b.Bytes = nil
	b.all.mu.Lock()
	defer b.all.mu.Unlock()
	delete(b.all.open, b)
	b.all.change(b, -b.held)
}

// take gets n bytes more for a body. The error is ErrNoRoom, and the body is given up
// then.
func (b *Body) take(n int, long bool) error {
	s := b.all
	if s.most == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held := b.held
	s.change(b, -held)
	b.long = b.long || long
	s.change(b, held)

	if !s.fits(b, n) {
		s.waitFor(b, n)
	}
	if b.gone {
		return ErrNoRoom
	}
	if b.stage == waits {
		b.stage = settled
	}
	s.change(b, n)
	return nil
}

// waitFor waits until there is room for n bytes more of b, or b is given up.
func (s *Bodies) waitFor(b *Body, n int) {
	late := time.NewTimer(roomTime)
	defer late.Stop()
	for isLate := false; !b.gone && !s.fits(b, n); {
		if isLate {
			s.giveUp(b)
			return
		}
		if s.makeRoom(b, n); !b.gone {
			isLate = s.wait(late.C)
		}
	}
}

// wait waits for a change, and reports whether it has become too late. It gives the
// lock up meanwhile.
func (s *Bodies) wait(late <-chan time.Time) (isLate bool) {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	changed := s.changed
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-changed:
		return false
	case <-late:
		return true
	}
}

// fits reports whether there is room for n bytes more of a body.
func (s *Bodies) fits(b *Body, n int) bool {
	return s.held.all == b.held || s.held.all+n <= s.most && (!b.long || s.held.long+n <= s.large)
}

// makeRoom gives bodies up until, when these are gone, there is room for n bytes more of
// b. That may be b itself.
func (s *Bodies) makeRoom(b *Body, n int) {
	for {
		longOnly := b.long && s.held.long-s.leaving.long+n > s.large
		if !longOnly && s.held.all-s.leaving.all+n <= s.most {
			return
		}
		worst := s.worst(b, longOnly)
		if worst == nil {
			return // there will be room when others are settled and gone
		}
		if s.giveUp(worst); worst == b {
			return
		}
	}
}

// worst returns the body to be given up for b: of those that still come in the one that
// has held most for longest, which may be b, unless it is the only one. When b is whole
// and no other comes in, it is one that waits like b, or none of them would get its room.
func (s *Bodies) worst(b *Body, longOnly bool) *Body {
	among := func(stage stage) (worst *Body, n int) {
		now, most := time.Now(), 0.0
		for other := range s.open {
			if other.stage != stage || other.gone || other.held == 0 || longOnly && !other.long {
				continue
			}
			if stage == waits && other == b {
				continue
			}
			n++
			if score := float64(other.held) * float64(now.Sub(other.since)+1); score > most {
				worst, most = other, score
			}
		}
		return worst, n
	}
	worst, n := among(comes)
	switch {
	case worst == nil && b.stage == waits:
		worst, _ = among(waits)
	case worst == b && n == 1:
		return nil
	}
	return worst
}

// giveUp gives a body up. Its room is free when its goroutine knows.
func (s *Bodies) giveUp(b *Body) {
	b.gone = true
	s.leaving.add(b, b.held)
	if b.hangUp != nil {
		b.hangUp()
	}
	s.wake()
}

// change changes what a body holds by n bytes.
func (s *Bodies) change(b *Body, n int) {
	b.held += n
	s.held.add(b, n)
	if b.gone {
		s.leaving.add(b, n)
	}
	if n < 0 {
		s.wake()
	}
}

// add adds bytes of a body.
func (a *account) add(b *Body, n int) {
	a.all += n
	if b.long {
		a.long += n
	}
}

// wake wakes those who wait for a change.
func (s *Bodies) wake() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}
