package imbot

import (
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/files"
)

// NewLeaderOf is FileLeader with another way to lock a file.
func NewLeaderOf(dir string, tryLock func(path string) (unlock func(), err error)) driver.Leader {
	return files.Leader{Directory: files.New(dir, tryLock, fileError)}
}
