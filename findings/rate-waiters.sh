#!/usr/bin/env bash
# x/time/rate: who waits has its date, and no new rate or free place changes it
#
# Version: golang.org/x/time v0.15.0
# Behaviour: Limiter.Wait takes its token from the future before it sleeps.
#   Those who sleep when SetLimit raises the rate sleep on for as long as the old
#   rate said. A place that somebody gave up is lost when another stands behind it.
# What follows: waiters queue in front of the Limiter and one at a time reserves,
#   so that a changed rate holds for all, and who leaves costs nobody a token.
# Seen:
#> 1 per second, three wait, then 100 per second:
#>   the first goes after 1s
#>   the second goes after 2s
#>   the third goes after 3s
#> 1 per second, two wait, then the first gives up:
#>   the second goes after 2s
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOMODCACHE="$dir/mod" GOFLAGS="-mod=mod -modcacherw" GOWORK=off

cat >finding_test.go <<'GO'
package finding

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
)

// wait starts somebody who waits for the limiter, and returns when it does.
func wait(ctx context.Context, limiter *rate.Limiter, who string) {
	start := time.Now()
	go func() {
		if limiter.Wait(ctx) == nil {
			fmt.Printf(">   the %s goes after %v\n", who, time.Since(start))
		}
	}()
	synctest.Wait()
}

func TestNewRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fmt.Println("> 1 per second, three wait, then 100 per second:")
		limiter := rate.NewLimiter(1, 1)
		limiter.Allow()
		for _, who := range []string{"first", "second", "third"} {
			wait(t.Context(), limiter, who)
		}
		limiter.SetLimit(100)
		time.Sleep(10 * time.Second)
	})
}

func TestFreePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fmt.Println("> 1 per second, two wait, then the first gives up:")
		limiter := rate.NewLimiter(1, 1)
		limiter.Allow()
		ctx, giveUp := context.WithCancel(t.Context())
		wait(ctx, limiter, "first")
		wait(t.Context(), limiter, "second")
		giveUp()
		time.Sleep(10 * time.Second)
	})
}
GO
go mod init finding
go get golang.org/x/time@v0.15.0
go test -v . | sed -n 's/^> //p' | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
