package imbot

import "github.com/imbot-go/imbot/driver"

// NewLeaderOf is FileLeader with another way to lock a file.
func NewLeaderOf(dir string, tryLock func(path string) (unlock func(), err error)) driver.Leader {
	return fileLeader{newDirectory(dir, tryLock)}
}
