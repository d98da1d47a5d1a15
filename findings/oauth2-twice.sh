#!/usr/bin/env bash
# x/oauth2: a first renewal whose answer got lost is sent again, and ends as invalid_grant
#
# Version: golang.org/x/oauth2 v0.36.0
# Behaviour: with AuthStyle left at zero, the library tries the client's secret in a header
#   first, and after any failure, also a 502, a second time in the form, until one time
#   went well in this process. Where a refresh token is good for once, the second sending
#   finds it used: what is returned says that the grant is dead, and the 502 is gone.
# What follows: renewals here are sent once, with the secret in the form; an
#   oauth2.Config as a source of tokens has AuthStyleInParams.
# Seen:
#> AuthStyleAutoDetect: sent 2 times, invalid_grant
#> AuthStyleInParams: sent 1 times, 502 Bad Gateway
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
	"log"
	"net/http"
	"net/http/httptest"

	"golang.org/x/oauth2"
)

func main() {
	for _, row := range []struct {
		name  string
		style oauth2.AuthStyle
	}{{"AuthStyleAutoDetect", oauth2.AuthStyleAutoDetect}, {"AuthStyleInParams", oauth2.AuthStyleInParams}} {
		sent := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if sent++; sent == 1 { // the token was exchanged, and the answer got lost on its way
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_grant"}`)
		}))
		config := oauth2.Config{
			ClientID: "id", ClientSecret: "x", Endpoint: oauth2.Endpoint{TokenURL: server.URL, AuthStyle: row.style},
		}
		_, err := config.TokenSource(context.Background(), &oauth2.Token{RefreshToken: "x"}).Token()
		var answer *oauth2.RetrieveError
		if !errors.As(err, &answer) {
			log.Fatal(err)
		}
		told := answer.ErrorCode
		if told == "" {
			told = answer.Response.Status
		}
		fmt.Printf("%s: sent %d times, %s\n", row.name, sent, told)
		server.Close()
	}
}
GO
go mod init finding
go get golang.org/x/oauth2@v0.36.0
go run . | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
