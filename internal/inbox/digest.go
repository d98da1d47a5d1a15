package inbox

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot/internal/phpform"
)

// Digest hashes what tells an event from others.
type Digest struct{ sum hash.Hash }

// NewDigest returns a digest of nothing.
func NewDigest() Digest { return Digest{sha256.New()} }

// String is what has been hashed so far.
func (d Digest) String() string { return hex.EncodeToString(d.sum.Sum(nil)) }

// Texts hashes texts so that none runs into the next.
func (d Digest) Texts(texts ...string) {
	for _, text := range texts {
		_, _ = d.sum.Write(binary.AppendUvarint(nil, uint64(len(text))))
		_, _ = d.sum.Write([]byte(text))
	}
}

// Data hashes what an event is about, without tokens.
func (d Digest) Data(data phpform.Node) {
	for _, name := range sortedKeys(data) {
		child := data.At(name)
		if isToken(name) {
			continue
		}
		d.Texts(name)
		if name != "BOT" && name != "COMMAND" || !child.IsMap() {
			d.node(child, isAddress(name))
			continue
		}
		for _, id := range sortedKeys(child) { // of a bot or command all but its tokens
			d.Texts(id)
			for _, field := range sortedKeys(child.At(id)) {
				if field != "AUTH" && field == strings.ToUpper(field) {
					d.Texts(field)
					d.node(child.At(id, field), isAddress(field))
				}
			}
		}
	}
}

// node hashes a part of a body without its tokens, whatever the order of its
// keys. Of addresses the query is left out: it may hold a token or a signature.
func (d Digest) node(n phpform.Node, addresses bool) {
	if !n.IsMap() {
		value := n.Get()
		if addresses {
			value, _, _ = strings.Cut(value, "?")
		}
		d.Texts("text", value)
		return
	}
	keys := slices.DeleteFunc(sortedKeys(n), isToken)
	d.Texts("map", strconv.Itoa(len(keys)))
	for _, key := range keys {
		d.Texts(key)
		d.node(n.At(key), addresses || isAddress(key))
	}
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

func sortedKeys(n phpform.Node) []string {
	keys := n.Keys()
	slices.Sort(keys)
	return keys
}
