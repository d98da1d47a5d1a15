package imbot

// RawEvent is
type RawEvent struct{}
