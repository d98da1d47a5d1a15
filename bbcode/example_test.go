package bbcode_test

import (
	"fmt"
	"strings"

	"github.com/imbot-go/imbot/bbcode"
)

func Example() {
	customer, order := "[Anna]", "https://example.com/orders/7"

	message := bbcode.Bold("New order") + " of " + bbcode.Escape(customer) + ": " +
		bbcode.Link(order, "number 7") + ". " + bbcode.Mention(27, "Boris") + ", please look."

	fmt.Println(bbcode.Plain(message)) // as a person reads it
	// Output:
	// New order of [Anna]: number 7 (https://example.com/orders/7). Boris, please look.
}

func ExampleEscape() {
	typed := "[b]hi[/b] [send=/delete all]click[/send]"
	message := bbcode.Bold("Anna wrote: ") + bbcode.Escape(typed)

	fmt.Println(bbcode.Plain(message))
	fmt.Println(strings.Count(message, "\u2060"), "invisible characters")
	// Output:
	// Anna wrote: [b]hi[/b] [send=/delete all]click[/send]
	// 4 invisible characters
}

func ExampleMention() {
	fmt.Println(bbcode.Mention(27, "Anna"), "please look at", bbcode.Link("https://example.com/7", "order 7"))
	// Output:
	// [user=27]Anna[/user] please look at [url=https://example.com/7]order 7[/url]
}

func ExamplePlain() {
	fmt.Println(bbcode.Plain("[b]Order 7[/b][br][url=https://example.com/7]open[/url], ask [user=27]Anna[/user] [rating=3]"))
	// Output:
	// Order 7
	// open (https://example.com/7), ask Anna ★★★
}

func ExampleMarkdown() {
	fmt.Println(bbcode.Markdown(`# Plan

1. **Read** the [manual](https://example.com)
2. Ask *nobody*:
   - not [user=all]everybody[/user]

| Day | Hours |
|-----|-------|
| Mon | 4     |`))
	// The word joiner behind "[" cannot be seen.

	// Output:
	// [b]Plan[/b]
	//
	// 1. [b]Read[/b] the [url=https://example.com]manual[/url]
	// 2. Ask [i]nobody[/i]:
	// 	• not [⁠user=all]everybody[⁠/user]
	//
	// [b]Day[/b] | [b]Hours[/b]
	// Mon | 4
}

func ExampleSplit() {
	answer := bbcode.Bold(strings.Repeat("A long answer. ", 2000))
	for _, message := range bbcode.Split(answer) {
		fmt.Println(len(message), message[:9], "…", message[len(message)-9:])
	}
	// Output:
	// 19987 [b]A long … wer. [/b]
	// 10027 [b]A long … wer. [/b]
}
