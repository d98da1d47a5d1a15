package imbot

// Members returns how many portals an application keeps in memory.
func (a *OAuthApp) Members() int {
	a.my().mu.Lock()
	defer a.my().mu.Unlock()
	return len(a.my().members)
}
