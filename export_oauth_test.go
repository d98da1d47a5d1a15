package imbot

import (
	"time"

	"github.com/imbot-go/imbot/internal/files"
)

// Members returns how many portals an application keeps in memory.
func (a *OAuthApp) Members() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.members)
}

// NewLockFileStore is NewFileStore as it is on systems without flock.
func NewLockFileStore(dir string) TokenStore {
	return &fileStore{files.New(dir, files.TryLockFile, fileError)}
}

// TryLockFile and StaleLock are what is behind it.
const StaleLock = files.StaleLock

var TryLockFile = files.TryLockFile

// WithBookkeeping returns a grant with other values of what only this package
// needs, and Installs returns one of them.
func (g Grant) WithBookkeeping(previousToken string, previousUntil time.Time, installs string) Grant {
	g.previousToken, g.previousUntil, g.installs = previousToken, previousUntil, installs
	return g
}

func (g Grant) Installs() string { return g.installs }

// Remembered returns of how many portals an application remembers a renewal that
// failed, and a host that was not confirmed.
func (a *OAuthApp) Remembered() (troubles, redirects int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.troubles), len(a.redirects)
}
