package imbot

// Members returns how many portals an application keeps in memory.
func (a *OAuthApp) Members() int {
	a.my().mu.Lock()
	defer a.my().mu.Unlock()
	return len(a.my().members)
}

// NewLockFileStore is NewFileStore as it is on systems without flock.
func NewLockFileStore(dir string) TokenStore { return newFileStore(dir, tryLockFile) }

// TryLockFile and StaleLock are what is behind it.
const StaleLock = staleLock

var TryLockFile = tryLockFile
