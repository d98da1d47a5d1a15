package v1

import (
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// newParts reads the parts of a new message. A value that PHP takes for false means that
// there is none. The sizes are checked of the kinds up to measured only; storable checks
// the others. Commands of the keyboard belong to bot, those of the menu to menuBot.
func newParts(c *world.Call, measured int, bot, menuBot imbot.ID) (found world.Parts, fail *world.Refusal) {
	for kind, name := range world.PartNames {
		v := c.Params.Get(name)
		if !php.Truthy(v) {
			continue
		}
		if kind == world.PartMenu {
			bot = menuBot
		}
		part := c.World.ReadPart(kind, v, bot)
		switch {
		case part == nil:
			return found, world.BadRequest(name+"_ERROR", "Incorrect "+strings.ToLower(name)+" params")
		case kind <= measured && world.Oversize(part):
			return found, world.BadRequest(name+"_OVERSIZE", "You have exceeded the maximum allowable size of "+strings.ToLower(name))
		}
		found[kind] = part
	}
	return found, nil
}

// storable refuses a keyboard or menu that is too large to be stored, when its size was
// not checked before.
func storable(ps world.Parts) *world.Refusal {
	for _, kind := range []int{world.PartKeyboard, world.PartMenu} {
		if world.Oversize(ps[kind]) {
			return world.BadRequest("PARAM_"+world.PartNames[kind]+"_ERROR", "The size of the parameter is too large")
		}
	}
	return nil
}
