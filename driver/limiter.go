package driver

// Refuser is what an imbot.Limiter may be, too. Refused is called when the portal
// refuses a request that Wait has let through: somebody else calls the portal, too.
type Refuser interface {
	Refused(portal string)
}
