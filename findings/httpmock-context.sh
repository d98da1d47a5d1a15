#!/usr/bin/env bash
# httpmock: a request whose context is over is answered all the same, nearly always
#
# Version: github.com/jarcoal/httpmock v1.4.2
# Behaviour: the transport runs the responder beside a wait for the context, and
#   takes what comes first. A responder that answers at once mostly wins over a
#   context that was over before the request; net/http's transport refuses it.
# What follows: a test of what a cancelled call does has a responder that itself
#   asks request.Context(), or would pass and fail by chance.
# Seen:
#> net/http: 0 of 1000 were answered
#> httpmock: most of 1000 were answered
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
	"net/http"
	"net/http/httptest"

	"github.com/jarcoal/httpmock"
)

func main() {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(httpmock.NewStringResponder(http.StatusOK, ""))

	fmt.Println("net/http:", answered(server.URL, http.DefaultTransport), "of 1000 were answered")
	if n := answered(server.URL, mock); n > 500 {
		fmt.Println("httpmock: most of 1000 were answered")
	} else {
		fmt.Println("httpmock:", n, "of 1000 were answered")
	}
}

func answered(url string, transport http.RoundTripper) (n int) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	client := http.Client{Transport: transport}
	for range 1000 {
		request, _ := http.NewRequestWithContext(over, http.MethodGet, url, nil)
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
			n++
		}
	}
	return n
}
GO
go mod init finding
go get github.com/jarcoal/httpmock@v1.4.2
go run . | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
