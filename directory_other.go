//go:build !unix || aix || solaris

package imbot

// tryLock uses lock files, because these systems have no flock.
func tryLock(path string) (unlock func(), err error) { return tryLockFile(path) }

// syncDir does nothing, because a directory cannot be synced here.
func syncDir(string) error { return nil }
