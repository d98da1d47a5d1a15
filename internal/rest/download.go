package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot/internal/secret"
)

// downloadTimeout bounds a download whose context has no earlier end: a file takes longer
// than a call.
const downloadTimeout = 5 * time.Minute

// Download writes the file of a link that the portal gave, at most so many bytes, and
// returns how many it wrote. The link holds the credential, so it goes to the portal's own
// host only, and no failure shows it. Nothing is repeated: the beginning may be written.
func (c *Core) Download(ctx context.Context, link string, w io.Writer, most int64) (int64, *Failure) {
	from, f := c.fromPortal(link)
	if f != nil {
		return 0, f
	}
	d := download{core: c, secrets: slices.Clone(c.portal.Secrets)}
	if s, ok := c.portal.Tokens.(secretive); ok {
		d.secrets = append(d.secrets, s.Secrets()...)
	}
	for _, name := range []string{"auth", "token"} {
		for _, value := range from.Query()[name] {
			d.secrets = append(d.secrets, value, url.QueryEscape(value))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	ctx, _ = classify(ctx)
	if err := c.wait(ctx); err != nil { // the link is a method of the portal, too
		return 0, d.failure("not sent", err)
	}
	resp, f := d.get(ctx, from)
	if f != nil {
		return 0, f
	}
	defer func() { _ = resp.Body.Close() }()
	return d.copy(w, resp, most)
}

// fromPortal parses a link and refuses one that is not the portal's.
func (c *Core) fromPortal(link string) (*url.URL, *Failure) {
	refuse := func(format string, args ...any) (*url.URL, *Failure) {
		return nil, &Failure{Description: fmt.Sprintf(format, args...), Kind: Invalid}
	}
	u, err := url.Parse(link)
	if err != nil || u.Host == "" {
		return refuse("the link is no URL")
	}
	root, err := url.Parse(*c.root.Load())
	switch {
	case err != nil:
		return refuse("the portal has no address")
	case !strings.EqualFold(u.Host, root.Host):
		return refuse("the link is of the host %s, not of the portal", secret.Scrub(u.Host, c.portal.Secrets))
	case u.Scheme != "https" && u.Scheme != root.Scheme || u.User != nil:
		return refuse("the link is no plain https one")
	case strings.HasPrefix(u.Path, "/bitrix/"):
		return refuse("the link is for browsers: ask for one by the id of the file")
	}
	return u, nil
}

// download is one way from a link to a file.
type download struct {
	core    *Core
	secrets []string
}

func (d *download) failure(description string, cause error) *Failure {
	return &Failure{Description: description, Cause: secret.Clean(cause, d.secrets)}
}

// get follows at most one redirect: a portal may keep its files elsewhere.
func (d *download) get(ctx context.Context, u *url.URL) (*http.Response, *Failure) {
	for hop := 0; ; hop++ {
		d.secrets = append(d.secrets, u.String(), u.RawQuery) // whole, before parts of them are cut out
		req := (&http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{
			"Accept": {"*/*"}, "User-Agent": d.core.config.Header["User-Agent"],
		}}).WithContext(ctx)
		resp, err := Plain(d.core.config.Transport).Do(req) // without a Referer, which would be the link
		if err != nil {
			return nil, d.failure("no answer", err)
		}
		if resp.StatusCode == http.StatusOK && !isPage(resp.Header) {
			return resp, nil
		}
		f := d.refusal(resp)
		next, err := u.Parse(resp.Header.Get("Location"))
		switch redirect := resp.StatusCode >= 300 && resp.StatusCode < 400; {
		case !redirect:
			return nil, f
		case err != nil || resp.Header.Get("Location") == "":
			f.Description = "a redirect without a target"
		case hop > 0:
			f.Description = "a second redirect, to the host " + secret.Scrub(next.Host, d.secrets)
		case !d.mayFollow(u, next):
			f.Description = "an unexpected redirect to the host " + secret.Scrub(next.Host, d.secrets)
		default:
			u = next
			continue
		}
		return nil, f
	}
}

// mayFollow reports whether a redirect stays with the portal, or leads to a public host and
// takes no credential there.
func (d *download) mayFollow(from, to *url.URL) bool {
	if to.User != nil || to.Scheme != "https" && to.Scheme != from.Scheme {
		return false
	}
	if strings.EqualFold(to.Host, from.Host) {
		return true
	}
	if to.Scheme != "https" || !isPublic(to.Hostname()) {
		return false
	}
	plain := to.String()
	for range 3 { // it may be escaped more than once
		for _, s := range d.secrets {
			if len(s) >= 4 && strings.Contains(plain, s) {
				return false
			}
		}
		decoded, err := url.QueryUnescape(plain)
		if err != nil {
			break
		}
		plain = decoded
	}
	return true
}

// isPublic reports whether a host can be one of the Internet, as far as its name tells.
func isPublic(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip := net.ParseIP(host); ip != nil {
		four := ip.To4()
		shared := four != nil && four[0] == 100 && four[1]&0xc0 == 64 // 100.64.0.0/10: a carrier's, and some clouds keep secrets there
		return ip.IsGlobalUnicast() && !ip.IsPrivate() && !shared
	}
	i := strings.LastIndexByte(host, '.')
	last := host[i+1:]
	digits := strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") // 127.1, 0x7f000001
	return i >= 0 && !digits && last != "localhost" && last != "local" && last != "internal"
}

// isPage reports whether a successful answer is a page, as that of the login, and no file.
func isPage(h http.Header) bool {
	return h.Get("Content-Disposition") == "" && strings.HasPrefix(h.Get("Content-Type"), "text/html")
}

// refusal reads an answer that is no file.
func (d *download) refusal(resp *http.Response) *Failure {
	defer func() { _ = resp.Body.Close() }()
	f := &Failure{Description: "the answer is no file", StatusCode: resp.StatusCode}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
	if err != nil {
		return f
	}
	if env, ok := readEnvelope(body); ok && len(env.Error) > 0 {
		code, description := ErrorOf(env.Error, env.Description)
		f.Code, f.Description, f.FromPortal = secret.ScrubCode(code, d.secrets), secret.Scrub(description, d.secrets), true
	}
	return f
}

// copy writes the file.
func (d *download) copy(w io.Writer, resp *http.Response, most int64) (int64, *Failure) {
	tooLarge := &Failure{Description: fmt.Sprintf("the file is longer than %d bytes", most), StatusCode: resp.StatusCode, TooLarge: true}
	if resp.ContentLength > most {
		return 0, tooLarge
	}
	to, from := &noted{Writer: w}, &io.LimitedReader{R: resp.Body, N: most}
	n, err := io.Copy(to, from)
	switch {
	case to.err != nil || errors.Is(err, io.ErrShortWrite):
		return n, d.failure("the file cannot be written", err)
	case err != nil:
		return n, d.failure("the file broke off", err)
	case n < resp.ContentLength: // net/http says so itself, another transport may not
		return n, d.failure("the file broke off", io.ErrUnexpectedEOF)
	case from.N > 0:
		return n, nil
	}
	if more, err := io.ReadFull(resp.Body, make([]byte, 1)); more > 0 {
		return n, tooLarge
	} else if err != io.EOF {
		return n, d.failure("the file broke off", err)
	}
	return n, nil
}

// noted keeps the error of a writer, and hides what else it can do: io.Copy would let it
// read by itself, in pieces of its own size.
type noted struct {
	io.Writer
	err error
}

func (w *noted) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	w.err = err
	return n, err
}
