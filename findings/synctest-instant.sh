#!/usr/bin/env bash
# testing/synctest: of two contexts with one deadline, chance says which is over first
#
# Version: the standard library of the go in PATH; seen with go1.26.8
# Behaviour: timers of a bubble that are due at the same instant go off in an order that is
#   drawn for each, and a goroutine runs as soon as its own has. Who waits for the
#   first context finds the second not over at its deadline, or over; likewise who sleeps
#   until a deadline. On a real clock what was set first goes off first.
# What follows: two deadlines in a test differ, and who slept until one calls
#   synctest.Wait before looking.
# Seen:
#> after <-first.Done(): second is over, or is not
#> after a sleep until its deadline: first is over, or is not
#> after that sleep and synctest.Wait: first is over
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off

cat >finding_test.go <<'GO'
package finding

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestInstant(t *testing.T) {
	tell("after <-first.Done(): second", t, func(first, second context.Context) error {
		<-first.Done()
		return second.Err()
	})
	tell("after a sleep until its deadline: first", t, func(first, _ context.Context) error {
		time.Sleep(time.Second)
		return first.Err()
	})
	tell("after that sleep and synctest.Wait: first", t, func(first, _ context.Context) error {
		time.Sleep(time.Second)
		synctest.Wait()
		return first.Err()
	})
}

func tell(name string, t *testing.T, look func(first, second context.Context) error) {
	over := 0
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			first, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			second, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if look(first, second) != nil {
				over++
			}
		})
	}
	switch over {
	case 0:
		fmt.Printf("> %s is not over\n", name)
	case 100:
		fmt.Printf("> %s is over\n", name)
	default:
		fmt.Printf("> %s is over, or is not\n", name)
	}
}
GO
go mod init finding
go test -v . | sed -n 's/^> //p' | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
