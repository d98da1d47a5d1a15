package imbotbolt

import (
	"time"

	"go.etcd.io/bbolt"
)

// WaitLess lets Open wait for d only, until restore is called.
func WaitLess(d time.Duration) (restore func()) {
	before := lockTime
	lockTime = d
	return func() { lockTime = before }
}

// Clean cleans as the committer does every minute, as if so much time had gone by.
func (db *DB) Clean(later time.Duration) error {
	wall := db.wall
	db.wall = wall.Add(later)
	defer func() { db.wall = wall }()
	return db.bolt.Update(db.clean)
}

// Rewrite changes the raw rows of a bucket.
func (db *DB) Rewrite(bucket string, change func(key, value []byte) []byte) error {
	return db.bolt.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		rows := map[string][]byte{}
		_ = b.ForEach(func(k, v []byte) error { rows[string(k)] = change(k, append([]byte{}, v...)); return nil })
		for k, v := range rows {
			if err := b.Put([]byte(k), v); err != nil {
				return err
			}
		}
		return nil
	})
}
