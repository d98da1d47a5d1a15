//go:build !unix || aix || solaris

package imbot

// tryLock has no better way here.
func tryLock(path string) (unlock func(), err error) { return tryLockFile(path) }

// syncDir is for systems on which a directory can be synced.
func syncDir(string) error { return nil }
