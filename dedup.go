package imbot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imbot-go/imbot/internal/phpform"
)

// SeenEvents remembers which events were accepted, so that a second delivery of
// one is not handled again. It is asked while the portal waits for the answer,
// and an error of it lets the event through: better twice than never. To share it
// between processes, keep the keys for some minutes in something fast.
type SeenEvents interface {
	Seen(ctx context.Context, key string) (bool, error)
	Mark(ctx context.Context, key string) error
}

// NewSeenEvents returns a memory of this process that holds at least the last n
// events and at most twice as many.
func NewSeenEvents(n int) SeenEvents { return &memorySeen{limit: max(n, 1)} }

// memorySeen holds two generations of keys; a full one makes the older one go.
type memorySeen struct {
	limit int

	mu       sync.Mutex
	now, old map[string]struct{}
}

func (m *memorySeen) Seen(_ context.Context, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, now := m.now[key]
	_, old := m.old[key]
	return now || old, nil
}

func (m *memorySeen) Mark(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.now) >= m.limit {
		m.now, m.old = nil, m.now
	}
	if m.now == nil {
		m.now = make(map[string]struct{})
	}
	m.now[key] = struct{}{}
	return nil
}

const (
	defaultSeen = 8192
	seenTime    = time.Second // for what is asked about one event
)

// seenGuard asks a SeenEvents and accepts an event in one step: of two deliveries
// at a time one waits for the other.
type seenGuard struct {
	once   sync.Once
	memory SeenEvents
	locks  [64]sync.Mutex
}

// unlessSeen runs accept for an event that was not accepted before, and marks the
// event when accept succeeds.
func (h *EventHandler) unlessSeen(ctx context.Context, ev Event, accept func() error) error {
	key := eventKey(ev)
	if key == "" {
		return accept()
	}
	seen := h.memory()
	stripe := fnv.New32a()
	_, _ = stripe.Write([]byte(key))
	lock := &h.guardian.locks[stripe.Sum32()%uint32(len(h.guardian.locks))]
	lock.Lock()
	defer lock.Unlock()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), seenTime)
	defer cancel()
	if h.ask(ctx, key, ev) {
		return nil
	}
	if err := accept(); err != nil {
		return err
	}
	if err := seen.Mark(ctx, key); err != nil {
		h.logger().WarnContext(ctx, "imbot: SeenEvents cannot mark", "event", ev.Meta().Name, "error", err)
	}
	return nil
}

func (h *EventHandler) memory() SeenEvents {
	h.guardian.once.Do(func() {
		if h.guardian.memory = h.Seen; h.Seen == nil {
			h.guardian.memory = NewSeenEvents(defaultSeen)
		}
	})
	return h.guardian.memory
}

// wasSeen reports whether an event was accepted before, and counts it then.
func (h *EventHandler) wasSeen(ctx context.Context, ev Event) bool {
	key := eventKey(ev)
	if key == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, seenTime)
	defer cancel()
	return h.ask(ctx, key, ev)
}

// ask asks the memory about the key of an event.
func (h *EventHandler) ask(ctx context.Context, key string, ev Event) bool {
	again, err := h.memory().Seen(ctx, key)
	switch {
	case err != nil:
		h.logger().WarnContext(ctx, "imbot: SeenEvents cannot be asked", "event", ev.Meta().Name, "error", err)
		return false
	case again:
		h.duplicate.Add(1)
		h.logger().DebugContext(ctx, "imbot: event came again", "event", ev.Meta().Name)
	}
	return again
}

// eventKey is the same for every delivery of an event and differs between events.
// It is empty where nothing tells deliveries and events apart.
func eventKey(ev Event) string {
	m := ev.Meta()
	sum := sha256.New()
	write(sum, m.Auth.MemberID, m.Name)
	if add, ok := ev.(*MessageAddEvent); ok && add.Params.MessageID != 0 {
		bots := slices.Clone(add.Bots)
		slices.SortFunc(bots, func(a, b EventBot) int { return cmp.Compare(a.BotID, b.BotID) })
		for _, b := range bots {
			write(sum, b.BotID.String())
		}
		write(sum, "message", add.Params.MessageID.String())
		return hex.EncodeToString(sum.Sum(nil))
	}
	ts := m.Raw.Get("ts")
	if ts == "" {
		return ""
	}
	write(sum, ts)
	// In a test all the life of an application may be one second. Each installation
	// brings tokens.
	if strings.HasPrefix(m.Name, "ONAPP") {
		write(sum, m.Auth.ApplicationToken, m.Auth.RefreshToken)
	}
	data := m.Raw.root.At("data")
	for _, name := range sortedKeys(data) {
		child := data.At(name)
		if isToken(name) {
			continue
		}
		write(sum, name)
		if name != "BOT" && name != "COMMAND" || !child.IsMap() {
			writeNode(sum, child, isAddress(name))
			continue
		}
		for _, id := range sortedKeys(child) { // of a bot or command all but its tokens
			write(sum, id)
			for _, field := range sortedKeys(child.At(id)) {
				if field != "AUTH" && field == strings.ToUpper(field) {
					write(sum, field)
					writeNode(sum, child.At(id, field), isAddress(field))
				}
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// isToken reports whether a key holds tokens, which differ between deliveries.
func isToken(key string) bool {
	switch strings.ToLower(key) {
	case "auth", "access_token", "refresh_token", "application_token":
		return true
	}
	return false
}

func isAddress(key string) bool { return strings.HasPrefix(strings.ToLower(key), "url") }

// writeNode hashes a part of a body without its tokens, whatever the order of
// its keys. Of addresses the query is left out: it may hold a token or a signature.
func writeNode(sum hash.Hash, n *phpform.Node, addresses bool) {
	if !n.IsMap() {
		value := n.Get()
		if addresses {
			value, _, _ = strings.Cut(value, "?")
		}
		write(sum, "text", value)
		return
	}
	keys := slices.DeleteFunc(sortedKeys(n), isToken)
	write(sum, "map", strconv.Itoa(len(keys)))
	for _, key := range keys {
		write(sum, key)
		writeNode(sum, n.At(key), addresses || isAddress(key))
	}
}

// write hashes texts so that none runs into the next.
func write(sum hash.Hash, texts ...string) {
	for _, text := range texts {
		_, _ = sum.Write(binary.AppendUvarint(nil, uint64(len(text))))
		_, _ = sum.Write([]byte(text))
	}
}

func sortedKeys(n *phpform.Node) []string {
	keys := n.Keys()
	slices.Sort(keys)
	return keys
}
