package imbot

import (
	"slices"
	"strings"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/inbox"
)

// NewClaims returns claims of this process: at least the last n and at most twice as many.
func NewClaims(n int) driver.Claims { return inbox.NewClaims(n) }

// orderKey names the dialog of an event. Events without one have no order.
func orderKey(m *EventMeta) string { return lineOf(m.Auth.MemberID, m.Dialog()) }

func lineOf(member string, dialog DialogID) string { return inbox.Line(member, string(dialog)) }

// eventKey is the same for every delivery of an event and differs between events.
// It is empty where nothing tells deliveries and events apart.
func eventKey(ev Event) string {
	m := ev.Meta()
	sum := inbox.NewDigest()
	sum.Texts(m.Auth.MemberID, m.Name)
	if add, ok := ev.(*MessageAddEvent); ok && add.Params.MessageID != 0 {
		bots := make([]string, len(add.Bots)) // every program has a sort of texts anyway
		for i, b := range add.Bots {
			bots[i] = b.BotID.String()
		}
		slices.Sort(bots)
		sum.Texts(bots...)
		sum.Texts("message", add.Params.MessageID.String())
		return sum.String()
	}
	if id := m.Raw.Get("data", "message", "id"); id != "" && m.Name == "ONIMBOTV2MESSAGEADD" { // one for each bot
		sum.Texts(m.ForBot().String(), "message", id)
		return sum.String()
	}
	ts := m.Raw.Get("ts")
	if ts == "" {
		return ""
	}
	sum.Texts(ts)
	// A test may install, remove and install an application again within one second.
	// Each installation brings tokens of its own, so they tell such events apart.
	if strings.HasPrefix(m.Name, "ONAPP") {
		sum.Texts(m.Auth.ApplicationToken, m.Auth.RefreshToken)
	}
	sum.Data(m.Raw.root.At("data"))
	return sum.String()
}
