#!/usr/bin/env bash
# bbolt: a key without a value is absent until its transaction is committed
#
# Version: go.etcd.io/bbolt v1.5.0
# Behaviour: Put(key, nil) stores the key, and a cursor sees it at once. Get of it is
#   nil in the same transaction, which is the answer for a key that is not there, and
#   an empty slice that is not nil in all later ones.
# What follows: a set of keys cannot be asked with Get in the transaction that fills
#   it, so each key has a value of one byte, or what is pending is remembered apart.
# Seen:
#> same transaction: Get is nil true, a cursor finds it true
#> next transaction: Get is nil false, length 0
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
	"log"

	"go.etcd.io/bbolt"
)

func main() {
	db, err := bbolt.Open("file.db", 0o600, nil)
	if err != nil {
		log.Fatal(err)
	}
	bucket, key := []byte("seen"), []byte("a")
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket(bucket)
		if err != nil {
			return err
		}
		if err := b.Put(key, nil); err != nil {
			return err
		}
		found, _ := b.Cursor().Seek(key)
		fmt.Printf("> same transaction: Get is nil %t, a cursor finds it %t\n", b.Get(key) == nil, string(found) == "a")
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		value := tx.Bucket(bucket).Get(key)
		fmt.Printf("> next transaction: Get is nil %t, length %d\n", value == nil, len(value))
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
}
GO
go mod init finding
go get go.etcd.io/bbolt@v1.5.0
go run . | sed -n 's/^> //p' | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
