package imbot

import (
	"fmt"
	"io"

	"github.com/imbot-go/imbot/internal/seal"
)

// A Keyring encrypts what is stored, with AES-256-GCM and a random nonce each time. A nil one
// leaves it as it is. It is safe for concurrent use.
type Keyring struct{ ring *seal.Ring }

// NewKeyring returns a keyring of random keys, 32 bytes each. The first one seals, all open: to
// replace a key, put the new one in front, first behind the old one everywhere if several programs
// share what is stored. A key seals four thousand million texts at most.
func NewKeyring(keys ...[]byte) (*Keyring, error) {
	ring, err := seal.NewRing(keys...)
	if err != nil {
		return nil, invalid("", "NewKeyring: %s", err)
	}
	return &Keyring{ring}, nil
}

// Seal encrypts plain. The context, such as the table and the key of a row, is not in the result, but
// only with the same one does it open: a row that was moved elsewhere does not.
func (k *Keyring) Seal(context string, plain []byte) []byte {
	if k == nil {
		return plain
	}
	return k.ring.Seal(context, plain)
}

// Open decrypts what Seal has returned. The error tells nothing of it.
func (k *Keyring) Open(context string, sealed []byte) ([]byte, error) {
	if k == nil {
		return sealed, nil
	}
	plain, err := k.ring.Open(context, sealed)
	if err != nil {
		return nil, &Error{Description: "Keyring.Open: " + err.Error()}
	}
	return plain, nil
}

// Format implements [fmt.Formatter]; no verb prints a key.
func (k Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbot.Keyring{***}") }
