package imbottest

import (
	"strings"
)

// portalMethods are the methods about the portal itself.
func portalMethods(name string) method {
	switch name {
	case "app.info":
		return appInfo
	case "profile":
		return profile
	case "method.get":
		return methodGet
	}
	return nil
}

func appInfo(c *call) (any, *restError) {
	if c.app == nil {
		return map[string]any{"SCOPE": []string{"imbot"}, "LICENSE": "en_basic"}, nil
	}
	return map[string]any{
		"ID": 1, "CODE": c.app.clientID, "VERSION": 1, "STATUS": "L", "INSTALLED": c.app.finished, "PAYMENT_EXPIRED": "N",
		"DAYS": nil, "LANGUAGE_ID": language, "LICENSE": "en_basic", "LICENSE_TYPE": "basic", "LICENSE_FAMILY": "basic",
	}, nil
}

func profile(c *call) (any, *restError) {
	u := c.p.users[c.user]
	if u == nil {
		return newArray(), nil
	}
	return map[string]any{
		"ID": u.id.String(), "ADMIN": u.id == admin, "NAME": u.first, "LAST_NAME": u.last,
		"PERSONAL_GENDER": u.gender, "TIME_ZONE": "",
	}, nil
}

func methodGet(c *call) (any, *restError) {
	name := c.params.text("NAME")
	known := strings.EqualFold(name, "batch") || lookup(name) != nil
	return map[string]bool{"isExisting": known, "isAvailable": known}, nil
}
