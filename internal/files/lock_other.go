//go:build !unix || aix || solaris

package files

// TryLock uses lock files, because these systems have no flock.
func TryLock(path string) (unlock func(), err error) { return TryLockFile(path) }

// Sync does nothing, because a directory cannot be synced here.
func Sync(string) error { return nil }
