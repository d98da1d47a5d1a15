// Package bbcode builds and reads BB code, the markup in the texts of messages
// in Bitrix24.
//
// Functions like [Bold], [Link] and [Mention] build one code each. [Escape]
// makes what people typed safe to stand between them ([EscapeMarkdown] where a
// portal shows Markdown, too), [Plain] turns a message into what a person reads,
// [Markdown] turns the answer of a language model into BB code, and [Split] cuts a
// text that is too long for one message.
//
// # Parameters
//
// Where a function builds a code, its parameter called text is BB code, so that
// codes nest. What people typed goes through [Escape] first:
//
//	bbcode.Bold("Found: ") + bbcode.Link("https://example.com/7", bbcode.Escape(title))
//
// Every other parameter is taken as it is, and what would break out of the code
// is made harmless: names are escaped; addresses are percent-encoded; elsewhere
// square brackets become the wide ［ and ］, a line break becomes a blank, and in
// a code with several attributes "=" becomes the wide ＝. The result is always
// one well-formed code, or none where the comment says so.
//
// An id is of any type whose underlying type is int or int64, a dialog's id of any
// string type: an imbot.ID, an imbot.DialogID and a literal fit without a
// conversion. Several ids of one call are of one type.
//
// Codes that Bitrix24 does not document may show as text in some clients; their
// comments say "Not documented" (livecheck: raw-codes).
package bbcode
