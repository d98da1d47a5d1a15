#!/usr/bin/env bash
# fmt: a verb that does not fit a pointer prints what the pointer leads to
#
# Version: the standard library of the go in PATH; seen with go1.26.8
# Behaviour: %v of a struct prints a pointer in a field as an address. A verb that does
#   not fit pointers, such as %s, prints the struct behind it instead, field by field, and
#   calls no Format of it when the field is not exported. A function in the field
#   stays an address under both.
# What follows: what a client must not print it keeps behind a function, and each
#   event masks its tokens on its pointer.
# Seen:
#> a pointer under %v: an address
#> a pointer under %s: {%!s(*main.inner=&{hidden})}
#> a function under %v: an address
#> a function under %s: an address
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off

cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"regexp"
)

type inner struct{ word string }

// Format masks the word, where fmt asks for it.
func (*inner) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "***") }

type pointing struct{ p *inner }

type calling struct{ f func() inner }

func main() {
	address := regexp.MustCompile(`^\{.*0x[0-9a-f]+\)?\}$`)
	show := func(what, verb string, v any) {
		text := fmt.Sprintf(verb, v)
		if address.MatchString(text) {
			text = "an address"
		}
		fmt.Printf("%s under %s: %s\n", what, verb, text)
	}
	in := &inner{"hidden"}
	for _, verb := range []string{"%v", "%s"} {
		show("a pointer", verb, pointing{in})
	}
	for _, verb := range []string{"%v", "%s"} {
		show("a function", verb, calling{func() inner { return *in }})
	}
}
GO
go mod init main
go run . | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
