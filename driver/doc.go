// Package driver has the interfaces that an engine implements to keep what a bot must not
// lose, or must share with other processes, as database/sql/driver has those of a database.
// Authors of bots choose an engine and need nothing of this package. Package
// imbottest/storetest checks an engine of your own.
package driver
