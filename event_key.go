package imbot

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot/internal/inbox"
	"github.com/imbot-go/imbot/internal/phpform"
)

// SeenEvents remembers which events were accepted, so that a second delivery of
// one is not handled again. It is asked while the portal waits for the answer. An
// error of it lets the event through, because twice is better than never. To share
// it between processes, keep the keys for some minutes in something fast.
type SeenEvents interface {
	Seen(ctx context.Context, key string) (bool, error)
	Mark(ctx context.Context, key string) error
}

// NewSeenEvents returns a memory of this process that holds at least the last n
// events and at most twice as many.
func NewSeenEvents(n int) SeenEvents { return inbox.NewMemory(n) }

// orderKey names the dialog of an event. Events without one have no order.
func orderKey(m *EventMeta) string { return lineOf(m.Auth.MemberID, m.Dialog()) }

func lineOf(member string, dialog DialogID) string {
	if dialog == "" {
		return ""
	}
	return member + "\x00" + string(dialog)
}

// eventKey is the same for every delivery of an event and differs between events.
// It is empty where nothing tells deliveries and events apart.
func eventKey(ev Event) string {
	m := ev.Meta()
	sum := sha256.New()
	write(sum, m.Auth.MemberID, m.Name)
	if add, ok := ev.(*MessageAddEvent); ok && add.Params.MessageID != 0 {
		bots := make([]string, len(add.Bots)) // every program has a sort of texts anyway
		for i, b := range add.Bots {
			bots[i] = b.BotID.String()
		}
		slices.Sort(bots)
		write(sum, bots...)
		write(sum, "message", add.Params.MessageID.String())
		return hex.EncodeToString(sum.Sum(nil))
	}
	if id := m.Raw.Get("data", "message", "id"); id != "" && m.Name == "ONIMBOTV2MESSAGEADD" { // one for each bot
		write(sum, m.ForBot().String(), "message", id)
		return hex.EncodeToString(sum.Sum(nil))
	}
	ts := m.Raw.Get("ts")
	if ts == "" {
		return ""
	}
	write(sum, ts)
	// A test may install, remove and install an application again within one second.
	// Each installation brings tokens of its own, so they tell such events apart.
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
func writeNode(sum hash.Hash, n phpform.Node, addresses bool) {
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

func sortedKeys(n phpform.Node) []string {
	keys := n.Keys()
	slices.Sort(keys)
	return keys
}
