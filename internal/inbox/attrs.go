package inbox

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
