#!/usr/bin/env bash
# otelslog: a number or a text of a type with a name arrives as "unhandled: (main.ID) 5"
#
# Version: go.opentelemetry.io/contrib/bridges/otelslog v0.21.0, go.opentelemetry.io/otel/sdk/log v1.47.0
# Behaviour: log/slog keeps a value of type ID int64 as it is, and its own handlers write 5.
#   The bridge knows int64 and string, and takes what is of another type, and has no
#   String method, for unknown: the attribute is a text that begins with "unhandled".
#   A search for the dialog or for numbers above another finds nothing.
# What follows: the attributes of the records here are string and int64, converted where
#   they are written.
# Seen:
#> slog.JSONHandler: {"level":"INFO","msg":"event","user":5,"dialog":"chat5"}
#> otelslog, user: STRING unhandled: (main.ID) 5
#> otelslog, dialog: STRING unhandled: (main.DialogID) chat5
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
	"log/slog"
	"os"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/log"
)

type (
	ID       int64
	DialogID string
)

type exporter struct{}

func (exporter) Export(_ context.Context, records []log.Record) error {
	for _, r := range records {
		r.WalkAttributes(func(kv attribute.KeyValue) bool {
			fmt.Printf("otelslog, %s: %v %s\n", kv.Key, kv.Value.Type(), kv.Value.AsString())
			return true
		})
	}
	return nil
}

func (exporter) Shutdown(context.Context) error   { return nil }
func (exporter) ForceFlush(context.Context) error { return nil }

func main() {
	noTime := func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	fmt.Print("slog.JSONHandler: ")
	provider := log.NewLoggerProvider(log.WithProcessor(log.NewSimpleProcessor(exporter{})))
	for _, h := range []slog.Handler{
		slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: noTime}),
		otelslog.NewHandler("bot", otelslog.WithLoggerProvider(provider)),
	} {
		slog.New(h).Info("event", "user", ID(5), "dialog", DialogID("chat5"))
	}
}
GO
go mod init finding
go get go.opentelemetry.io/contrib/bridges/otelslog@v0.21.0 go.opentelemetry.io/otel/sdk/log@v1.47.0
go run . | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
