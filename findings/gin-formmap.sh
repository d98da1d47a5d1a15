#!/usr/bin/env bash
# gin: of a form's names with two brackets one wins, and chance says which
#
# Version: github.com/gin-gonic/gin v1.12.0
# Behaviour: PostFormMap("data") takes what stands in the first brackets for the key and
#   forgets the rest. data[PARAMS][MESSAGE] and data[PARAMS][DIALOG_ID] are both
#   PARAMS, and as the form is a map of Go, the one that is seen last differs from
#   request to request. QueryMap does the same.
# What follows: a bot in gin hands the request on as it is, gin.WrapH(handler): the
#   form reader here keeps all brackets.
# Seen:
#> the same form 1000 times, PARAMS: [5 hi]
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOMODCACHE="$dir/mod" GOFLAGS="-mod=mod -modcacherw" GOWORK=off

cat >main.go <<'GO'
package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	read := map[string]bool{}
	router := gin.New()
	router.POST("/", func(c *gin.Context) { read[c.PostFormMap("data")["PARAMS"]] = true })
	for range 1000 {
		body := strings.NewReader("event=ONIMBOTMESSAGEADD&data[PARAMS][MESSAGE]=hi&data[PARAMS][DIALOG_ID]=5")
		request := httptest.NewRequest(http.MethodPost, "/", body)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		router.ServeHTTP(httptest.NewRecorder(), request)
	}
	fmt.Println("the same form 1000 times, PARAMS:", slices.Sorted(maps.Keys(read)))
}
GO
go mod init finding
go get github.com/gin-gonic/gin@v1.12.0
go run . | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
