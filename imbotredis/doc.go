// Package imbotredis keeps in Redis, 6.2 or later, or Valkey, what the replicas of a bot share: the
// rate limit of portals, claims, states of conversations, who leads, and grants of an application. It
// stands on github.com/redis/go-redis.
//
//	db, err := imbotredis.Open(ctx, redis.NewClient(&redis.Options{Addr: …}), imbotredis.Options{})
//	…
//	client, err := imbot.NewClient(hook, imbot.WithLimiter(db.Limiter(2, 50)))
//	h := &imbot.EventHandler{Claims: db.Claims(), …}
//
// There is no inbox here: an event that was accepted must not be lost, and how durable Redis is its
// settings decide. Packages imbotpg and imbotbolt keep events.
//
// # What may get lost
//
// Redis acknowledges a write before it is on the disk. With appendonly yes a power cut costs what was
// written in the last one or two seconds, with appendfsync always nothing; a fail-over costs what had
// not been copied yet, unless Options.Wait asks for that. A claim or a state that is lost does little
// harm. A grant that is lost after its renewal means that somebody has to install the application
// again: so Open refuses a server that evicts keys (maxmemory-policy other than noeviction) or writes no
// file, or does not tell, unless Options.AllowLoss says that it does not matter. For grants, set
// appendfsync always.
//
// While Redis is away, calls go on with a share of the rate, events are claimed by each process for
// itself, and states and grants are errors.
//
// With Options.Keys states and grants are encrypted and cannot be moved to another key unnoticed.
// In a cluster all keys of a Prefix are in one slot, but for the limiter, whose portals are spread.
package imbotredis
