// Package textstage is a model of what a portal and a client of it do to the text
// of a message between its sender and the reader's eyes, in the order in which they
// do it:
//
//	Store  the portal, once, when the message arrives
//	Serve  the portal, each time it hands the text out
//	Read   the web client, on display
//
// Shown is all three. It shares nothing with package bbcode, so that one can be held
// against the other.
//
// The rules are those of the portal's build 26.250 of May 2026, executed, and of the
// web client of January 2026, executed; no live portal was asked (livecheck: entities-decoded,
// links-wrapped, me-kept, entity-code). Markdown is that of the newest client, read only
// (livecheck: markdown-bold, markdown-link, html-tag). Where a rule was not measured the model
// is strict: it takes for live what may be. It leaves out smileys, which each portal has of its own, and the texts
// that keep a client busy for ever (livecheck: client-freeze).
package textstage
