#!/usr/bin/env bash
# Go's linker: generic code that calls a method named Method keeps all exported methods
#
# Version: Go 1.25.0 and 1.26.8
# Behaviour: a call of an interface's method in generic code keeps every method of
#   that name in the program, whatever its signature. One of that name is
#   reflect.Value.Method: with it, the linker has to assume that any exported
#   method may be called by reflection, and drops none of any type whose values
#   are put into interfaces. Called in code that is not generic, it costs nothing.
# What follows: generic code asks a request for its Method through a function
#   that is not generic.
# Seen (and binaries of 3.5 MB and 2.4 MB):
#> Method called in generic code: NeverCalled is kept
#> Method called in a function without type parameters: NeverCalled is dropped
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOFLAGS=-mod=mod GOWORK=off

mkdir generic plain
cat >generic/main.go <<'GO'
package main

import "fmt"

type request[R any] interface {
	Method() string
	Decode() R
}

func do[R any](r request[R]) (string, R) { return r.Method(), r.Decode() }

func method(r interface{ Method() string }) string { return r.Method() }

type get struct{}

func (get) Method() string { return "get" }
func (get) Decode() int    { return 1 }

type other struct{}

func (other) NeverCalled() {}

func main() {
	fmt.Println(do[int](get{}))
	fmt.Println(other{})
}
GO
sed 's/return r.Method(), r.Decode()/return method(r), r.Decode()/' generic/main.go >plain/main.go

is() { # PACKAGE: whether its program has the method that nobody calls
	go build -o program "./$1"
	wc -c program >&2
	go tool nm program >symbols
	if grep -q NeverCalled symbols; then echo kept; else echo dropped; fi
}
go mod init finding
{
	echo "Method called in generic code: NeverCalled is $(is generic)"
	echo "Method called in a function without type parameters: NeverCalled is $(is plain)"
} | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
