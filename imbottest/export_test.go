package imbottest

import (
	"encoding/json"
)

// Stored returns the parts of a message exactly as the portal keeps them.
func (m Message) Stored() (attach, keyboard, menu json.RawMessage) { return m.parts.Wire() }
