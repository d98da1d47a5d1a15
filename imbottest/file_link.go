package imbottest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// fileLink is a link to a file: the address of a method with the credential of the caller, and a
// signature over both. As on a portal nothing is stored, so it works until the credential ends.
func (c *call) fileLink(user, secret, scope string, file imbot.ID) string {
	address, query, credential := c.p.endpoint(), url.Values{}, secret
	if c.grant != nil {
		address, credential = address+"download.json", c.grant.access
		query.Set("auth", credential)
	} else {
		address += user + "/" + secret + "/download/"
	}
	what := fmt.Sprintf("%s|%s", scope, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "id=%d&_=%s", file, world.RandomHex(8))))
	query.Set("token", what+"|"+c.p.signature(what, credential))
	return address + "?" + query.Encode()
}

func (p *Portal) signature(what, credential string) string {
	mac := hmac.New(sha256.New, []byte(p.memberID+p.secret))
	mac.Write([]byte("download|" + what + "|" + credential))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// download answers a link to a file.
func (c *call) download() answer {
	what, signature, _ := cutLast(c.Params.Text("TOKEN"), "|")
	credential := c.p.secret
	if c.grant != nil {
		credential = c.grant.access
	}
	if !hmac.Equal([]byte(signature), []byte(c.p.signature(what, credential))) {
		return refused(world.Forbidden("ACCESS_DENIED", "Invalid signature"))
	}
	_, encoded, _ := strings.Cut(what, "|")
	about, _ := base64.RawURLEncoding.DecodeString(encoded)
	c.p.w.Lock()
	defer c.p.w.Unlock()
	file := c.p.w.Files[parseForm(about).ID("id")]
	if file == nil {
		return refused(world.BadRequest("FILE_NOT_FOUND", "File not found"))
	}
	return answer{status: http.StatusOK, contentType: "application/octet-stream", file: file}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// serveFile writes a file. The transport of this package gets it without a copy.
func (a answer) serveFile(w http.ResponseWriter) {
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.file.Name}))
	w.Header().Set("Content-Length", strconv.Itoa(len(a.file.Content)))
	w.WriteHeader(a.status)
	if memory, ok := w.(*recorder); ok {
		memory.file = a.file.Content
		return
	}
	_, _ = w.Write(a.file.Content)
}
