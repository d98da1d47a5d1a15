#!/usr/bin/env bash
# net/http: a handler that has not read the body is not told that the client has gone
#
# Version: the standard library of the go in PATH; seen with go1.26.8
# Behaviour: the context of a request ends when the client's connection closes, but over
#   HTTP/1 the server looks at the connection only after the body was read to its end.
#   A handler that works first and reads later, or never, has a context that lasts
#   until it returns. A request without a body is watched from the start.
# What follows: the event handler here reads the whole form before it handles the event.
# Seen:
#> without a body: the context ends
#> with a body that was read: the context ends
#> with a body that was not read: the context lasts
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off

cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"time"
)

func main() {
	for _, row := range []struct {
		name string
		body string
		read bool
	}{
		{"without a body", "", false},
		{"with a body that was read", "event=X", true},
		{"with a body that was not read", "event=X", false},
	} {
		begun, told := make(chan struct{}), make(chan string)
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if row.read {
				_, _ = io.ReadAll(r.Body)
			}
			close(begun)
			select {
			case <-r.Context().Done():
				told <- "the context ends"
			case <-time.After(2 * time.Second):
				told <- "the context lasts"
			}
		}))
		client, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprintf(client, "POST / HTTP/1.1\r\nHost: bot\r\nContent-Length: %d\r\n\r\n%s", len(row.body), row.body)
		<-begun
		client.Close()
		fmt.Printf("%s: %s\n", row.name, <-told)
		server.Close()
	}
}
GO
go mod init finding
go run . | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
