package imbot

import "fmt"

// AppInstallEvent (ONAPPINSTALL): the application was installed, and the
// installation is finished. It can come late, or after the page of the
// application. With [OAuthApp.Verifier] its grant is stored by then.
type AppInstallEvent struct {
	EventMeta
	Version    string
	Active     Flag
	Installed  Flag
	LanguageID string // of the account, two letters
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *AppInstallEvent) Format(f fmt.State, verb rune) {
	type appInstallEvent AppInstallEvent
	printPlain(f, verb, (*appInstallEvent)(ev))
}

// AppUpdateEvent (ONAPPUPDATE): another version of the application was
// installed. The portal has dropped all handlers that were bound with event.bind.
type AppUpdateEvent struct {
	EventMeta
	Version         string
	PreviousVersion string
	LanguageID      string // of the account, two letters
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *AppUpdateEvent) Format(f fmt.State, verb rune) {
	type appUpdateEvent AppUpdateEvent
	printPlain(f, verb, (*appUpdateEvent)(ev))
}

// AppUninstallEvent (ONAPPUNINSTALL): the application is gone from the portal,
// and its tokens are dead. With [OAuthApp.Verifier] its grant is deleted by then.
type AppUninstallEvent struct {
	EventMeta
	LanguageID string // of the account, two letters
	Clean      Flag   // the data of the application is to be deleted, too
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *AppUninstallEvent) Format(f fmt.State, verb rune) {
	type appUninstallEvent AppUninstallEvent
	printPlain(f, verb, (*appUninstallEvent)(ev))
}
