package imbot

import (
	"crypto/md5" //nolint:gosec // the portal's choice
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
)

// IFrameParams are the parameters with which the messenger opens the iframe of a
// chat application. Only the host of Domain and UserID are signed: the rest comes
// from the user's browser, who can change it.
type IFrameParams struct {
	BotID             ID
	BotCode           string
	AppID             ID
	AppCode           string
	Domain            string // address of the portal, "https://portal.bitrix24.com"
	UserID            ID     // who opened the frame
	DialogID          DialogID
	Context           string // "textarea" or "button"
	Lang              string
	IsChrome          Flag
	MessageID         ID     // with the context "button"
	ButtonParams      string // APP_PARAMS of the button
	DialogEntityID    EntityID
	DialogEntityData1 string
	DialogContext     string // "lines" in an open line
}

// VerifyIFrame reads the query of a request for the iframe of a chat application
// and checks its signature with the Hash that the application was registered
// with ([AppRegisterRequest]). An empty hash and "register", with which the
// portal would sign otherwise, are refused.
//
// The signature has no time: whoever has seen such a URL can open it again, as
// that user. Keep it out of logs.
func VerifyIFrame(r *http.Request, hash string) (IFrameParams, error) {
	if hash == "" || hash == "register" {
		return IFrameParams{}, errors.New(`imbot: iframe: the hash is empty or "register", so nothing proves who calls`)
	}
	q := r.URL.Query()
	domain, err := url.Parse(q.Get("DOMAIN"))
	userID, isUser := positiveID(q.Get("USER_ID"))
	if err != nil || domain.Hostname() == "" || domain.Scheme != "https" && domain.Scheme != "http" || !isUser {
		return IFrameParams{}, errors.New("imbot: iframe: DOMAIN or USER_ID is missing or malformed")
	}
	ok := signed(domain.Hostname(), hash, q.Get("DOMAIN_HASH")) & signed(q.Get("USER_ID"), hash, q.Get("USER_HASH"))
	if ok != 1 {
		return IFrameParams{}, errors.New("imbot: iframe: the signature is wrong")
	}
	return IFrameParams{
		BotID: parseID(q.Get("BOT_ID")), BotCode: q.Get("BOT_CODE"), AppID: parseID(q.Get("APP_ID")), AppCode: q.Get("APP_CODE"),
		Domain: q.Get("DOMAIN"), UserID: userID, DialogID: DialogID(q.Get("DIALOG_ID")), Context: q.Get("CONTEXT"), Lang: q.Get("LANG"),
		IsChrome: parseFlag(q.Get("IS_CHROME")), MessageID: parseID(q.Get("MESSAGE_ID")), ButtonParams: q.Get("BUTTON_PARAMS"),
		DialogEntityID: EntityID(q.Get("DIALOG_ENTITY_ID")), DialogEntityData1: q.Get("DIALOG_ENTITY_DATA_1"), DialogContext: q.Get("DIALOG_CONTEXT"),
	}, nil
}

// signed returns 1 if the signature of a value is right. The portal signs with MD5
// of the value and the hash behind it.
func signed(value, hash, signature string) int {
	sum := md5.Sum([]byte(value + hash)) //nolint:gosec // the portal's choice
	return subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(signature))
}
