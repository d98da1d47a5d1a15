package imbot

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

// AppUpdateEvent (ONAPPUPDATE): another version of the application was
// installed. The portal has dropped all handlers that were bound with event.bind.
type AppUpdateEvent struct {
	EventMeta
	Version         string
	PreviousVersion string
	LanguageID      string // of the account, two letters
}

// AppUninstallEvent (ONAPPUNINSTALL): the application is gone from the portal,
// and its tokens are dead. With [OAuthApp.Verifier] its grant is deleted by then.
type AppUninstallEvent struct {
	EventMeta
	LanguageID string // of the account, two letters
	Clean      Flag   // the data of the application is to be deleted, too
}
