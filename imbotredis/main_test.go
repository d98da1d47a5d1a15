package imbotredis_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
)

// silent drops what go-redis says about servers that are away, which here are killed.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	m.Run()
}
