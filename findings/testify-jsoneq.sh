#!/usr/bin/env bash
# testify: JSONEq takes two large ids for the same
#
# Version: github.com/stretchr/testify v1.11.1
# Behaviour: both texts are decoded into any, where a number is a float64. Whole numbers
#   that differ above 2^53 become the same float, and the assertion passes.
# What follows: tests of large ids compare the text or the Go value, never by JSONEq.
# Seen:
#> {"ID":5} and {"ID":6}: equal false
#> {"ID":9007199254740992} and {"ID":9007199254740993}: equal true
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

	"github.com/stretchr/testify/assert"
)

type quiet struct{}

func (quiet) Errorf(string, ...any) {}

func main() {
	for _, row := range [][2]string{
		{`{"ID":5}`, `{"ID":6}`},
		{`{"ID":9007199254740992}`, `{"ID":9007199254740993}`},
	} {
		fmt.Printf("%s and %s: equal %t\n", row[0], row[1], assert.JSONEq(quiet{}, row[0], row[1]))
	}
}
GO
go mod init finding
go get github.com/stretchr/testify@v1.11.1
go run . | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
