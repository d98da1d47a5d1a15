package php

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Blob is a long text of Base64 that was decoded while it was read, in place of the text.
type Blob struct {
	Content []byte // nil when the text is no Base64 or too long
	Encoded int    // how long the text is
}

// AppendBase64 decodes a text, whose padding may be missing.
func AppendBase64(dst, text []byte) ([]byte, error) {
	if len(text)%4 != 0 {
		return base64.RawStdEncoding.AppendDecode(dst, text)
	}
	return base64.StdEncoding.AppendDecode(dst, text)
}

// MarshalJSON writes only how long the text is, because logs have no room for more.
func (b Blob) MarshalJSON() ([]byte, error) {
	return json.Marshal(fmt.Sprintf("(%d bytes of Base64)", b.Encoded))
}
