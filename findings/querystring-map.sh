#!/usr/bin/env bash
# go-querystring: a map among the fields is sent as Go prints it
#
# Version: github.com/google/go-querystring v1.2.0
# Behaviour: a struct in a struct becomes fields[NAME], as PHP reads it, but a map
#   there is one value, in the notation of fmt: map[x:y], and no error is returned.
#   A portal takes it for a text.
# What follows: parameters, among which maps are common (fields, filter, BOT), are sent
#   as JSON here.
# Seen:
#> fields[NAME]=Ann
#> fields[UF]=map[x:y]
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
	"log"

	"github.com/google/go-querystring/query"
)

type fields struct {
	Name string            `url:"NAME"`
	User map[string]string `url:"UF"`
}

func main() {
	values, err := query.Values(struct {
		Fields fields `url:"fields"`
	}{fields{"Ann", map[string]string{"x": "y"}}})
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"fields[NAME]", "fields[UF]"} {
		fmt.Printf("%s=%s\n", name, values.Get(name))
	}
}
GO
go mod init finding
go get github.com/google/go-querystring@v1.2.0
go run . | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
