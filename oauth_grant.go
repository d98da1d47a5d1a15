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
// A Grant never prints its tokens, and neither does its JSON. A [TokenStore] of
// your own writes it with [Grant.Encode] and reads it with [DecodeGrant], which
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

// tokenRotation is how long the application token before the stored one is
// taken, too. The portal's queue is late by minutes at most.
const tokenRotation = 10 * time.Minute

// afterToken makes a grant the one that follows old, whose application token is
// kept, or remembered for the events that are under way with it.
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

// hadToken reports whether an event has the application token from before an
// update, and may.
func (g Grant) hadToken(token string) bool {
	return sameToken(g.previousToken, token) && time.Now().Before(g.previousUntil)
}

// mostInstalls is how many installations are remembered. Their tokens are good
// for an hour, after which nobody can send them once more.
const mostInstalls = 8

func (g Grant) fingerprint() string {
	sum := sha256.Sum256([]byte(g.RefreshToken))
	return hex.EncodeToString(sum[:8])
}

// installing makes a grant one that an installation has brought, after old.
func (g Grant) installing(old Grant) Grant {
	list := strings.Split(old.installs, ",")
	list = slices.DeleteFunc(list, func(f string) bool { return f == "" || f == g.fingerprint() })
	list = append(list, g.fingerprint())
	g.installs = strings.Join(list[max(0, len(list)-mostInstalls):], ",")
	return g
}

// replays reports whether a grant comes from a copy of an installation that is
// over: a page that is loaded again, or worse. Its pair may be used up.
func (g Grant) replays(old Grant) bool {
	return g.RefreshToken != "" && g.RefreshToken != old.RefreshToken && strings.Contains(old.installs, g.fingerprint())
}

// olderThan reports whether a grant of the same installation was issued before
// another: an installation that is delivered late, or again. It must not cost the
// newer pair, nor bring the application token from before an update back.
func (g Grant) olderThan(old Grant) bool {
	if g.Expires.IsZero() || g.ApplicationToken != "" && g.ApplicationToken != old.ApplicationToken && g.ApplicationToken != old.previousToken {
		return false
	}
	return g.Expires.Before(old.Expires.Truncate(time.Second))
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
