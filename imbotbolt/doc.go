// Package imbotbolt keeps what a bot must not lose in one file, on one machine, without a server:
// accepted events (Inbox), grants of an application, states of conversations, claims. It stands on
// go.etcd.io/bbolt.
//
//	db, err := imbotbolt.Open("bot.db", imbotbolt.Options{})
//	…
//	h := &imbot.EventHandler{Inbox: db.Inbox(), …}
//
// An event is on the disk before the portal gets its 200, so neither a restart nor kill -9 nor a power
// cut loses one. It is handled at least once: what ran when the process was killed, at most Workers
// events, runs again at the next start, see [imbot.Redelivered].
//
// One process at a time has the file. The next one waits ten seconds for it, which is enough for a
// deploy that starts the new program before the old one has ended. What a process held that died is
// free at the next Open. Several machines, or several processes, need package imbotpg.
//
// Beside the file there are two small ones: its name with .lock, and with .run, which tells what was
// running when the process died. Copy all of it while no process has it open; or the file alone, then
// what had killed its process before is not known. A file never shrinks while it is open; Open makes
// it smaller when more than half of it, and more than 64 MiB, is free.
//
// When the disk is full nothing is accepted any more, and what an event handler does then
// (EventHandler.Patience) holds; nothing has to be repaired, and the first write that finds room
// succeeds. A program can start meanwhile, and what is handled makes room for what comes.
//
// A file that was removed, moved or replaced while it is open takes nothing new, because nothing would
// be found at the next start; what runs is ended in it all the same.
//
// A clock that jumps changes nothing while the file is open. By an hour it may jump between two runs
// without an event that was handled being taken for a new one.
//
// With Options.Keys everything that a person or portal has said, and every token, is encrypted and
// cannot be moved to another row unnoticed. Keys of events, lines and times are not encrypted; they
// are hashes and numbers.
package imbotbolt
