#!/usr/bin/env bash
# resty: NewWithClient changes the http.Client that it is given, and Header the map
#
# Version: github.com/go-resty/resty/v2 v2.17.2
# Behaviour: NewWithClient keeps the client of its caller, not a copy. It gives
#   one without a Transport a Transport of its own (net/http would have used
#   http.DefaultTransport), and each setting of the resty.Client is made on it.
#   A map that becomes a Request's Header gains the headers that it lacks.
# What follows: the user's client is copied and has its Transport before resty
#   gets it; the headers that all calls share are complete from the start.
# Seen:
#> the client before:        no transport, timeout 0s
#> after NewWithClient:      a transport that is not http.DefaultTransport, timeout 0s
#> after resty's SetTimeout: a transport that is not http.DefaultTransport, timeout 5s
#> the headers before:       [Accept]
#> after the call:           [Accept Content-Type User-Agent]
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOMODCACHE="$dir/mod" GOFLAGS="-mod=mod -modcacherw" GOWORK=off

cat >main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/go-resty/resty/v2"
)

func main() {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()

	mine := &http.Client{}
	tell("the client before:       ", mine)
	client := resty.NewWithClient(mine)
	tell("after NewWithClient:     ", mine)
	client.SetTimeout(5 * time.Second)
	tell("after resty's SetTimeout:", mine)

	headers := http.Header{"Accept": {"application/json"}}
	fmt.Println("the headers before:      ", slices.Sorted(maps.Keys(headers)))
	request := client.R().SetBody(bytes.NewReader([]byte(`{}`)))
	request.Header = headers
	if _, err := request.Post(server.URL); err != nil {
		log.Fatal(err)
	}
	fmt.Println("after the call:          ", slices.Sorted(maps.Keys(headers)))
}

func tell(when string, c *http.Client) {
	transport := "a transport that is not http.DefaultTransport"
	switch c.Transport {
	case nil:
		transport = "no transport"
	case http.DefaultTransport:
		transport = "http.DefaultTransport"
	}
	fmt.Printf("%s %s, timeout %v\n", when, transport, c.Timeout)
}
GO
go mod init finding
go get github.com/go-resty/resty/v2@v2.17.2
go run . | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
