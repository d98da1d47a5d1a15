// Package seal encrypts what engines keep, with AES-256 in GCM.
package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// A sealed text is a header, which is the version and the id of the key, then what
// [cipher.NewGCMWithRandomNonce] makes: nonce, text, tag. Header and context are authenticated.
const (
	version = 1
	idSize  = 4
	header  = 1 + idSize
)

// A Ring seals with its first key and opens with each.
type Ring struct{ keys []key }

type key struct {
	id   [idSize]byte
	aead cipher.AEAD
}

// NewRing returns a ring of keys. An error tells which key is wrong, and nothing of it.
func NewRing(keys ...[]byte) (*Ring, error) {
	if len(keys) == 0 {
		return nil, errors.New("there is no key")
	}
	ring := &Ring{}
	for i, k := range keys {
		if len(k) != KeySize {
			return nil, fmt.Errorf("key %d has %d bytes instead of %d", i, len(k), KeySize)
		}
		if bytes.Equal(k, make([]byte, KeySize)) {
			return nil, fmt.Errorf("key %d is nothing but zeros", i)
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(append([]byte("imbot key id\x00"), k...))
		ring.keys = append(ring.keys, key{[idSize]byte(sum[:]), aead})
	}
	return ring, nil
}

// Seal returns plain as only the ring can read it, for a context.
func (r *Ring) Seal(context string, plain []byte) []byte {
	k := r.keys[0]
	sealed := make([]byte, header, header+len(plain)+k.aead.Overhead())
	sealed[0] = version
	copy(sealed[1:], k.id[:])
	return k.aead.Seal(sealed, nil, plain, authenticated(sealed, context)) //nolint:gosec // it makes a nonce itself
}

// Open returns what was sealed for a context.
func (r *Ring) Open(context string, sealed []byte) ([]byte, error) {
	switch {
	case len(sealed) < header:
		return nil, fmt.Errorf("%d bytes are not sealed", len(sealed))
	case sealed[0] != version:
		return nil, fmt.Errorf("not sealed, or by a newer version: the first byte is %d, not %d", sealed[0], version)
	}
	known := false
	for _, k := range r.keys {
		if !bytes.Equal(k.id[:], sealed[1:header]) {
			continue
		}
		known = true
		if plain, err := k.aead.Open(nil, nil, sealed[header:], authenticated(sealed[:header], context)); err == nil {
			return plain, nil
		}
	}
	if !known {
		return nil, fmt.Errorf("sealed with a key that is not there, whose id is %x", sealed[1:header])
	}
	return nil, errors.New("damaged, or sealed for another place")
}

// authenticated is what belongs to a sealed text without being in it.
func authenticated(head []byte, context string) []byte {
	return append(bytes.Clone(head[:header]), context...)
}
