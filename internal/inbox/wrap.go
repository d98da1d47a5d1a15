package inbox

import "slices"

// Wrap returns f within wrappers, of which the first is the outermost.
func Wrap[F any](f F, wrappers []func(F) F) F {
	for _, wrap := range slices.Backward(wrappers) {
		f = wrap(f)
	}
	return f
}

// Attrs is what a log says of an event, as far as the event has it: no text of a person.
func Attrs(name, portal, dialog string, bot, user int64) []any {
	attrs := []any{"event", name}
	if portal != "" {
		attrs = append(attrs, "portal", portal)
	}
	if bot != 0 {
		attrs = append(attrs, "bot", bot)
	}
	if dialog != "" {
		attrs = append(attrs, "dialog", dialog)
	}
	if user != 0 {
		attrs = append(attrs, "user", user)
	}
	return attrs
}
