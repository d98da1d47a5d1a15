#!/usr/bin/env bash
# otelslog: of two errors in a record the last is kept, and neither key
#
# Version: go.opentelemetry.io/contrib/bridges/otelslog v0.21.0, go.opentelemetry.io/otel/sdk/log v1.47.0
# Behaviour: an error among a record's attributes becomes the record's exception, whatever
#   its key is. There is room for one: of a call's error and that of the clean-up after
#   it, or of a logger's With, the first is gone. In a group each stays where it is.
# What follows: a record here has at most one error; two are joined before.
# Seen:
#> both at the top: exception.message=rollback failed
#> both in a group: g={"error":"timed out","rollback":"rollback failed"}
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
	"errors"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/log"
)

type exporter struct{}

func (exporter) Export(_ context.Context, records []log.Record) error {
	for _, r := range records {
		r.WalkAttributes(func(kv attribute.KeyValue) bool {
			if kv.Key != "exception.type" {
				fmt.Printf("%s: %s=%v\n", r.Body().AsString(), kv.Key, kv.Value)
			}
			return true
		})
	}
	return nil
}

func (exporter) Shutdown(context.Context) error   { return nil }
func (exporter) ForceFlush(context.Context) error { return nil }

func main() {
	provider := log.NewLoggerProvider(log.WithProcessor(log.NewSimpleProcessor(exporter{})))
	logger := slog.New(otelslog.NewHandler("bot", otelslog.WithLoggerProvider(provider)))
	both := []any{"error", errors.New("timed out"), "rollback", errors.New("rollback failed")}
	logger.Error("both at the top", both...)
	logger.Error("both in a group", slog.Group("g", both...))
}
GO
go mod init finding
go get go.opentelemetry.io/contrib/bridges/otelslog@v0.21.0 go.opentelemetry.io/otel/sdk/log@v1.47.0
go run . | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
