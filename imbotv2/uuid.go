package imbotv2

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
)

// isTemplateID matches the only form that the portal de-duplicates: a lower-case UUID
// v4 (livecheck: templateid, templateid-upper).
var isTemplateID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// newTemplateID returns one that nobody can foresee.
func newTemplateID() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	return templateID(random)
}

// templateID shapes 16 bytes as a lower-case UUID v4.
func templateID(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
