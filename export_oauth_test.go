package imbot

// Members returns how many portals an application keeps in memory.
func (a *OAuthApp) Members() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.members)
}
