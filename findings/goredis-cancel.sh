#!/usr/bin/env bash
# go-redis: a cancelled context does not end a command that waits, ContextTimeoutEnabled or not
#
# Version: github.com/redis/go-redis/v9 v9.22.0
# Behaviour: while a command waits for its answer, the client obeys its ReadTimeout.
#   ContextTimeoutEnabled, which is off by default, adds the context's deadline, and
#   only that: a cancel is seen when the answer, or the timeout, has come.
# What follows: imbotredis waits for a command beside its context and returns with the
#   context; what was asked ends by itself, after ReadTimeout.
# Seen (a server without an answer, ReadTimeout 2s, the context over after 200ms):
#> default, deadline: returns after 2s
#> default, cancel: returns after 2s
#> ContextTimeoutEnabled, deadline: returns after 200ms
#> ContextTimeoutEnabled, cancel: returns after 2s
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOMODCACHE="$dir/mod" GOFLAGS="-mod=mod -modcacherw" GOWORK=off

cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // its connections are never read
	if err != nil {
		log.Fatal(err)
	}
	for _, enabled := range []bool{false, true} {
		for _, cancels := range []bool{false, true} {
			client := redis.NewClient(&redis.Options{
				Addr: ln.Addr().String(), ContextTimeoutEnabled: enabled, ReadTimeout: 2 * time.Second,
				MaxRetries: -1, Protocol: 2, DisableIdentity: true, // Get is all that is sent
			})
			ctx, cancel := context.WithCancel(context.Background())
			name := "cancel"
			if cancels {
				time.AfterFunc(200*time.Millisecond, cancel)
			} else {
				name = "deadline"
				ctx, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
			}
			start := time.Now()
			_ = client.Get(ctx, "a").Err()
			option := map[bool]string{false: "default", true: "ContextTimeoutEnabled"}[enabled]
			fmt.Printf("> %s, %s: returns after %v\n", option, name, time.Since(start).Round(200*time.Millisecond))
			cancel()
			client.Close()
		}
	}
}
GO
go mod init finding
go get github.com/redis/go-redis/v9@v9.22.0
go run . | sed -n 's/^> //p' | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
