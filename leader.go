package imbot

import (
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/files"
)

// FileLeader returns a leader for the processes of one machine: who leads holds the lock of
// a file below dir, which is made when it is missing, and a process that dies loses it at
// once. Others look every second whether it is free. Modes of dir and files, and network file
// systems, are as for [NewFileStore].
//
// Where the system has no flock, the lead of a process that died is free after four minutes.
func FileLeader(dir string) driver.Leader { return files.Leader{Directory: directory(dir)} }
