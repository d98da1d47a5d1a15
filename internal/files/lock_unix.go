//go:build unix && !aix && !solaris

package files

import (
	"errors"
	"os"
	"syscall"
)

// TryLock takes the lock of a file and returns how to give it back, or nil when
// somebody else has it. The system takes it from a process that dies, so there
// are no stale locks. The file is never removed: a process that waits has it open,
// and would lock a file that is gone.
func TryLock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return func() { _ = f.Close() }, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return nil, nil
	}
	return nil, err
}

// Sync makes a rename in a directory survive a crash of the system.
func Sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
