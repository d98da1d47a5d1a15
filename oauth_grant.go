package imbot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Grant is what an OAuth application holds of one portal: the tokens of the user
// who installed it, and where to use them. MemberID is the key; everything else
// changes with time.
//
// A Grant never prints its tokens, and neither does its JSON; but fmt calls no method
// of a field that is not exported, of a struct of yours, nor in the other cases that
// [Webhook] names. A [TokenStore] of your own writes it with [Grant.Encode] and reads it with [DecodeGrant], which
// also keep what only this package needs.
type Grant struct {
	MemberID         string    `json:"member_id"`                   // of the portal, for ever
	Domain           string    `json:"domain,omitempty"`            // host of the portal, until it is renamed
	ClientEndpoint   string    `json:"client_endpoint,omitempty"`   // REST root of the portal
	ServerEndpoint   string    `json:"server_endpoint,omitempty"`   // REST root of the authorization server
	AccessToken      string    `json:"access_token,omitempty"`      // lives one hour
	RefreshToken     string    `json:"refresh_token,omitempty"`     // lives 180 days; each renewal brings another one
	Expires          time.Time `json:"expires,omitzero"`            // of the access token, in whole seconds
	UserID           ID        `json:"user_id,omitempty"`           // whose tokens these are
	Scope            string    `json:"scope,omitempty"`             // comma-separated
	Status           string    `json:"status,omitempty"`            // of the application: L local, F free, D demo, T trial, P paid, S subscription
	ApplicationToken string    `json:"application_token,omitempty"` // proves that an event is genuine; empty until the portal has told it

	// The application token from before an update. Events that were under way
	// then have it; it is good until previousUntil, in whole seconds.
	previousToken string
	previousUntil time.Time

	installs string // fingerprints of the refresh tokens that the last installations brought, separated by commas
}

// plainGrant is a Grant without its methods, so that it encodes field by field.
type plainGrant Grant

// storedGrant is a Grant as it is encoded.
type storedGrant struct {
	plainGrant
	PreviousToken string    `json:"previous_token,omitempty"`
	PreviousUntil time.Time `json:"previous_until,omitzero"`
	Installs      string    `json:"installs,omitempty"`
}

// Encode returns the grant with its tokens, for a [TokenStore] and nothing else.
// Equal grants have equal encodings, so a database can compare and swap in one
// statement:
//
//	UPDATE grants SET body = $new WHERE member_id = $id AND body = $old
//
// The encoding is JSON. Treat it as a password.
func (g Grant) Encode() []byte {
	s := storedGrant{plainGrant(g), g.previousToken, g.previousUntil, g.installs}
	for _, t := range []*time.Time{&s.Expires, &s.PreviousUntil} {
		*t = t.UTC().Truncate(time.Second)
		if y := t.Year(); y < 0 || y > 9999 { // JSON has no such time, and none of the grant would be written
			*t = time.Time{}
		}
	}
	data, _ := json.Marshal(s) // texts, a number and such times always encode
	return data
}

// DecodeGrant reads what [Grant.Encode] has written. The error tells nothing of
// the data.
func DecodeGrant(data []byte) (Grant, error) {
	var s storedGrant
	if json.Unmarshal(data, &s) != nil || s.MemberID == "" {
		return Grant{}, &Error{Description: fmt.Sprintf("not a grant: %d bytes", len(data))}
	}
	g := Grant(s.plainGrant)
	g.previousToken, g.previousUntil, g.installs = s.PreviousToken, s.PreviousUntil, s.Installs
	return g, nil
}

// tokenRotation is how long the application token from before an update is
// accepted. The portal delivers an event minutes late at most.
const tokenRotation = 10 * time.Minute

// afterToken returns the grant, which replaces old, with its application tokens: if
// it brings none, old's stays; if it brings another, old's is accepted a while
// longer.
func (g Grant) afterToken(old Grant) Grant {
	switch g.ApplicationToken {
	case "", old.ApplicationToken:
		g.ApplicationToken, g.previousToken, g.previousUntil = old.ApplicationToken, old.previousToken, old.previousUntil
	default:
		if old.ApplicationToken != "" {
			g.previousToken, g.previousUntil = old.ApplicationToken, time.Now().Add(tokenRotation).UTC().Truncate(time.Second)
		}
	}
	return g
}

// hadToken reports whether token is the application token from before an update and
// is still accepted.
func (g Grant) hadToken(token string) bool {
	return sameToken(g.previousToken, token) && time.Now().Before(g.previousUntil)
}

// mostInstalls is how many installations are remembered. A few are enough: an hour
// later the access token of an installation has expired, and a copy is refused.
const mostInstalls = 8

func (g Grant) fingerprint() string {
	sum := sha256.Sum256([]byte(g.RefreshToken))
	return hex.EncodeToString(sum[:8])
}

// installing returns the grant, which an installation has brought, with its
// fingerprint behind those of old.
func (g Grant) installing(old Grant) Grant {
	list := strings.Split(old.installs, ",")
	list = slices.DeleteFunc(list, func(f string) bool { return f == "" || f == g.fingerprint() })
	list = append(list, g.fingerprint())
	g.installs = strings.Join(list[max(0, len(list)-mostInstalls):], ",")
	return g
}

// replays reports whether the grant is from a copy of an earlier installation:
// somebody has loaded the page again, or sends an old request. The pair in it may be
// used up.
func (g Grant) replays(old Grant) bool {
	return g.RefreshToken != "" && g.RefreshToken != old.RefreshToken && strings.Contains(old.installs, g.fingerprint())
}

// olderThan reports whether the grant was issued before old, as when an installation
// is delivered late or twice. It must not replace the newer pair, nor bring back the
// application token from before an update. One with an unknown application token is
// of another installation, and not older.
func (g Grant) olderThan(old Grant) bool {
	if g.Expires.IsZero() || g.ApplicationToken != "" && g.ApplicationToken != old.ApplicationToken && g.ApplicationToken != old.previousToken {
		return false
	}
	return g.Expires.Before(old.Expires.Truncate(time.Second))
}

// callable returns the grant with its endpoint as calls need it, or says what is
// wrong with that.
func (g Grant) callable() (Grant, error) {
	u, err := parseEndpoint("Grant.ClientEndpoint", g.ClientEndpoint)
	if err != nil {
		return Grant{}, err
	}
	g.ClientEndpoint = u.String()
	return g, nil
}

// equal reports whether two grants are the same, to the second.
func (g Grant) equal(other Grant) bool { return string(g.Encode()) == string(other.Encode()) }

func (g Grant) masked() string {
	return fmt.Sprintf("imbot.Grant{MemberID:%s, Domain:%s, UserID:%d}", g.MemberID, g.Domain, g.UserID)
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (g Grant) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, g.masked()) }

// MarshalText implements [encoding.TextMarshaler] without the secrets.
func (g Grant) MarshalText() ([]byte, error) { return []byte(g.masked()), nil }

// LogValue implements [slog.LogValuer] without the secrets.
func (g Grant) LogValue() slog.Value { return slog.StringValue(g.masked()) }
