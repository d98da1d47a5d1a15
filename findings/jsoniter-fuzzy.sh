#!/usr/bin/env bash
# json-iterator: its decoders for PHP read of a text the digits it begins with
#
# Version: github.com/json-iterator/go v1.1.12
# Behaviour: extra.RegisterFuzzyDecoders, written for answers of PHP, takes "5" for a number
#   and [] for an empty object. Into an integer it reads what digits there are and leaves
#   the rest: of a date the year, of 010 the zero, of 1e3 the one. No error is returned.
# What follows: an ID here is read by strconv, which takes the whole text for a number
#   or refuses it.
# Seen:
#> "5": 5 <nil>
#> "2026-11-28T10:00:00+03:00": 2026 <nil>
#> "12 of 30": 12 <nil>
#> "010": 0 <nil>
#> 1e3: 1 <nil>
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOMODCACHE="$dir/mod" GOFLAGS="-mod=mod -modcacherw" GOWORK=off

cat >main.go <<'GO'
package main

import (
	"fmt"

	jsoniter "github.com/json-iterator/go"
	"github.com/json-iterator/go/extra"
)

func main() {
	extra.RegisterFuzzyDecoders()
	for _, text := range []string{`"5"`, `"2026-11-28T10:00:00+03:00"`, `"12 of 30"`, `"010"`, `1e3`} {
		var n int64
		err := jsoniter.UnmarshalFromString(text, &n)
		fmt.Printf("%s: %d %v\n", text, n, err)
	}
}
GO
go mod init finding
go get github.com/json-iterator/go@v1.1.12
go run . | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
