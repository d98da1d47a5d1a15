#!/usr/bin/env bash
# go-playground/form: PHP's brackets fill a map, but a struct stays empty without an error
#
# Version: github.com/go-playground/form/v4 v4.2.1
# Behaviour: brackets are keys of maps and places of lists; for a field of a struct
#   the decoder wants a dot. It passes over names that it has no place for, so that
#   data[USER][ID] into structs is an empty struct and no error.
#   SetNamespacePrefix and SetNamespaceSuffix make brackets mean fields too.
# What follows: events are read by a form reader of this module, which knows PHP's
#   brackets only, and whose tree does not depend on the Go type.
# Seen:
#> a map:             {Data:map[USER:map[ID:5]]} <nil>
#> a struct:          {Data:{User:{ID:}}} <nil>
#> with [ and ] set:  {Data:{User:{ID:5}}} <nil>
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
	"net/url"

	"github.com/go-playground/form/v4"
)

type user struct {
	ID string `form:"ID"`
}

type data struct {
	User user `form:"USER"`
}

func main() {
	values, _ := url.ParseQuery("data[USER][ID]=5")
	var asMap struct {
		Data map[string]map[string]string `form:"data"`
	}
	err := form.NewDecoder().Decode(&asMap, values)
	fmt.Printf("a map:             %+v %v\n", asMap, err)
	var asStruct, set struct {
		Data data `form:"data"`
	}
	err = form.NewDecoder().Decode(&asStruct, values)
	fmt.Printf("a struct:          %+v %v\n", asStruct, err)
	decoder := form.NewDecoder()
	decoder.SetNamespacePrefix("[")
	decoder.SetNamespaceSuffix("]")
	err = decoder.Decode(&set, values)
	fmt.Printf("with [ and ] set:  %+v %v\n", set, err)
}
GO
go mod init finding
go get github.com/go-playground/form/v4@v4.2.1
go run . | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
