package world

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"

	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// maxImage is how wide and how high a picture may be, in pixels. Only PNG is measured.
const maxImage = 5000

// IsImage reports whether a parameter is a picture: base64, or a file name and base64.
func IsImage(v any) bool {
	if file, ok := v.(*php.Array); ok {
		v = file.Get("1")
	}
	data, err := base64.StdEncoding.DecodeString(php.Text(v))
	if err != nil || !strings.HasPrefix(http.DetectContentType(data), "image/") {
		return false
	}
	return !IsLarge(data)
}

// IsLarge reports whether a picture is wider or higher than the portal takes.
func IsLarge(data []byte) bool {
	if http.DetectContentType(data) != "image/png" || len(data) < 24 {
		return false
	}
	return max(binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])) > maxImage
}

// Picture decodes a picture that IsImage accepts. It returns nil for anything else.
func Picture(v any) []byte {
	if !IsImage(v) {
		return nil
	}
	if file, ok := v.(*php.Array); ok {
		v = file.Get("1")
	}
	data, _ := base64.StdEncoding.DecodeString(php.Text(v))
	return data
}
