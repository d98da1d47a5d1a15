#!/usr/bin/env bash
# bbolt: who replaces one of four large values writes all four
#
# Version: go.etcd.io/bbolt v1.5.0
# Behaviour: a leaf is split only when it has more than four keys, and a leaf is written as
#   a whole, with the pages that its values run over into. So up to four values that
#   are larger than a page stay together, and a Put of one takes four times its size in
#   the file. With a fifth the leaf is split, and a Put takes two.
# What follows: on a full disk, ten events that left an inbox make room for three of the
#   same size, which imbotbolt's test of a full disk expects.
# Seen:
#> 1 value in the bucket: a Put writes about 1 of its size
#> 4 values in the bucket: a Put writes about 4 of its size
#> 5 values in the bucket: a Put writes about 2 of its size
#> 100 values in the bucket: a Put writes about 2 of its size
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
	"math"

	"go.etcd.io/bbolt"
)

func main() {
	for _, n := range []int{1, 4, 5, 100} {
		written, err := put(n, make([]byte, 200_000))
		if err != nil {
			log.Fatal(err)
		}
		plural := "s"
		if n == 1 {
			plural = ""
		}
		fmt.Printf("> %d value%s in the bucket: a Put writes about %.f of its size\n", n, plural, math.Floor(written))
	}
}

// put fills a bucket with n values, replaces the first, and returns how often its size was written.
func put(n int, value []byte) (float64, error) {
	db, err := bbolt.Open(fmt.Sprintf("%d.db", n), 0o600, nil)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	name := []byte("values")
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket(name)
		for i := 0; i < n && err == nil; i++ {
			err = b.Put(fmt.Appendf(nil, "%03d", i), value)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	before := db.Stats()
	err = db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(name).Put([]byte("000"), value) })
	after := db.Stats()
	spent := after.Sub(&before)
	return float64(spent.TxStats.GetPageAlloc()) / float64(len(value)), err
}
GO
go mod init finding
go get go.etcd.io/bbolt@v1.5.0
go run . | sed -n 's/^> //p' | tee output
diff <(echo "$seen") output || { echo "the behaviour has changed"; exit 1; }
