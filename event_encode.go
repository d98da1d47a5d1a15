package imbot

import (
	"cmp"

	"github.com/imbot-go/imbot/internal/phpform"
)

// eventVersion is the first byte of an encoded event. Its portal and its Raw follow.
const eventVersion = 1

// EncodeEvent returns all that was sent of an event, for a queue of yours: hand it to
// [EventHandler.Handle] when [DecodeEvent] has read it again. It holds tokens, so treat it as a
// password. An event that was built by hand has nothing to encode, which is an error.
func EncodeEvent(ev Event) ([]byte, error) {
	if ev == nil {
		return nil, invalid("", "EncodeEvent: there is no event")
	}
	m := ev.Meta()
	if m.Raw.root.IsMissing() {
		return nil, invalid("", "EncodeEvent: the event was built by hand: its Raw is empty")
	}
	return m.Raw.root.Pack(phpform.PackText([]byte{eventVersion}, m.Auth.MemberID)), nil
}

// DecodeEvent reads what [EncodeEvent] has written, by this version or an older one. Events of
// package imbotv2 become an [UnknownEvent], which its EventHandler.Handle decodes. It does not verify
// anything. The error tells nothing of the data.
func DecodeEvent(data []byte) (Event, error) {
	if len(data) == 0 || data[0] != eventVersion {
		return nil, &Error{Description: "DecodeEvent: not an event, or one of a newer version"}
	}
	member, packed, err := phpform.UnpackText(data[1:])
	var root phpform.Node
	if err == nil {
		root, err = phpform.Unpack(packed)
	}
	if err != nil {
		return nil, &Error{Description: "DecodeEvent: a damaged event", cause: err}
	}
	meta := eventMeta(root)
	meta.Auth.MemberID = cmp.Or(meta.Auth.MemberID, string(member))
	return decodeEvent(*meta), nil
}
