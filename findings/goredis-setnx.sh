#!/usr/bin/env bash
# go-redis: a SETNX whose answer got lost tells its own writer that somebody else was faster
#
# Version: github.com/redis/go-redis/v9 v9.22.0
# Behaviour: a client sends a command again, up to three times, when the connection breaks
#   before its answer came, whether or not doing it twice is the same as doing it once.
#   SETNX has set the key then, finds it at the second time, and returns false: a lock
#   that nobody holds, an event that is everybody's duplicate. MaxRetries -1 ends that.
# What follows: claims, locks and leads are scripts with a token of the writer, which
#   say "yours" to whoever comes again with it.
# Seen:
#> with the defaults: sent 2 times, set is false, the error is <nil>
#> with MaxRetries -1: sent 1 times, set is false, the error is EOF
set -euo pipefail
seen=$(sed -n 's/^#> //p' "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOMODCACHE="$dir/mod" GOFLAGS="-mod=mod -modcacherw" GOWORK=off

cat >main.go <<'GO'
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// command reads a command: an array of texts.
func command(r *bufio.Reader) (words []string, err error) {
	number := func() int {
		line, e := r.ReadString('\n')
		if e != nil {
			err = e
			return 0
		}
		n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
		return n
	}
	for n := number(); n > 0 && err == nil; n-- {
		text := make([]byte, number()+2)
		if _, e := io.ReadFull(r, text); e != nil {
			return nil, e
		}
		words = append(words, strings.ToLower(string(text[:len(text)-2])))
	}
	return words, err
}

// serve is a server that knows one command, and breaks the connection after the first time.
func serve(ln net.Listener, sent *int) {
	isSet := false
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		for r := bufio.NewReader(conn); ; {
			words, err := command(r)
			if err != nil {
				break
			}
			switch {
			case words[0] == "set" || words[0] == "setnx":
				*sent++
				if !isSet {
					isSet = true
					conn.Close() // it is set, and nobody hears of it
					continue
				}
				if words[0] == "setnx" {
					fmt.Fprint(conn, ":0\r\n")
				} else {
					fmt.Fprint(conn, "$-1\r\n")
				}
			case words[0] == "hello":
				fmt.Fprint(conn, "-ERR unknown command\r\n")
			default:
				fmt.Fprint(conn, "+OK\r\n")
			}
		}
		conn.Close()
	}
}

func main() {
	for _, row := range []struct {
		name    string
		retries int
	}{{"the defaults", 0}, {"MaxRetries -1", -1}} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		sent := 0
		go serve(ln, &sent)
		client := redis.NewClient(&redis.Options{Addr: ln.Addr().String(), MaxRetries: row.retries, DisableIdentity: true})
		set, err := client.SetNX(context.Background(), "event", "me", 0).Result()
		fmt.Printf("> with %s: sent %d times, set is %t, the error is %v\n", row.name, sent, set, err)
		client.Close()
		ln.Close()
	}
}
GO
go mod init finding
go get github.com/redis/go-redis/v9@v9.22.0
go run . | sed -n 's/^> //p' | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
