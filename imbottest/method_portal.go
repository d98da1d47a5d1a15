package imbottest

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// portalMethods are the methods about the portal itself. No scope is needed for them.
func portalMethods(name string) method {
	switch name {
	case "app.info":
		return appInfo
	case "profile":
		return profile
	case "method.get":
		return methodGet
	case "methods":
		return methodList
	case "scope":
		return scopeList
	case "server.time":
		return func(*call) (any, *restError) { return time.Now().Format(time.RFC3339), nil }
	case "feature.get":
		return featureGet
	case "user.admin":
		return func(c *call) (any, *restError) { return c.user == admin, nil }
	case "user.access":
		return userAccess
	case "access.name":
		return accessName
	}
	return nil
}

func appInfo(c *call) (any, *restError) {
	if c.app == nil {
		return map[string]any{"SCOPE": c.p.scopes(), "LICENSE": "en_basic"}, nil
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
	name := strings.ToLower(c.params.text("NAME"))
	if c.p.answers[name] != nil {
		return map[string]bool{"isExisting": true, "isAvailable": true}, nil
	}
	known := name == "batch" || c.p.lookup(name) != nil
	return map[string]bool{"isExisting": known || c.p.scopeOf(name) != "", "isAvailable": known && c.p.inScope(name)}, nil
}

// methodList lists the methods of SCOPE, which may be empty for those that need no scope,
// or of everything that may be called, or with FULL of all scopes. Of other scopes than
// those of bots this portal has no list.
func methodList(c *call) (any, *restError) {
	scopes := append([]string{""}, c.p.scopes()...)
	switch {
	case c.params.given("SCOPE"):
		scopes = []string{c.params.text("SCOPE")}
	case truthy(c.params.get("FULL")):
		scopes = []string{"", "imbot", "imopenlines"}
	}
	list := []string{}
	for _, scope := range scopes {
		list = append(list, methodNames(scope)...)
	}
	if !c.params.given("SCOPE") {
		for _, name := range slices.Sorted(maps.Keys(c.p.answers)) {
			if !slices.ContainsFunc(list, func(known string) bool { return strings.EqualFold(known, name) }) {
				list = append(list, name)
			}
		}
	}
	return list, nil
}

func scopeList(c *call) (any, *restError) {
	if truthy(c.params.get("FULL")) {
		return allScopes(), nil
	}
	return c.p.scopes(), nil
}

// featureGet says Y to every code, as a portal does to those that it does not know.
func featureGet(c *call) (any, *restError) {
	switch code := c.params.text("CODE"); code {
	case "", "0":
		return nil, badRequest("CODE_EMPTY", "CODE can't be empty")
	case "rest_offline_extended", "rest_auth_connector": // not in the plan of this portal
		return map[string]string{"value": "N"}, nil
	}
	return map[string]string{"value": "Y"}, nil
}

// userAccess reports whether the caller has one of the access codes. The administrator has
// all of them.
func userAccess(c *call) (any, *restError) {
	codes := []string{c.params.text("ACCESS")}
	if list := c.params.array("ACCESS"); list != nil {
		codes = list.texts()
	}
	mine := []string{"G2", "AU", "U" + c.user.String(), "IU" + c.user.String()}
	return c.user == admin || slices.ContainsFunc(codes, func(code string) bool { return slices.Contains(mine, code) }), nil
}

// accessName names the access codes of people and the general ones; this portal has no
// departments, groups and projects.
func accessName(c *call) (any, *restError) {
	list := c.params.array("ACCESS")
	if list.len() == 0 {
		return false, nil
	}
	names := newArray()
	for _, code := range list.texts() {
		name, provider, kind := "", "", "other"
		switch code {
		case "G2":
			name = "All visitors"
		case "AU":
			name = "All authorized users"
		case "CR":
			name = "Author"
		default:
			digits, isUser := strings.CutPrefix(code, "U")
			id, err := strconv.ParseInt(digits, 10, 64)
			u := c.p.users[imbot.ID(id)]
			if !isUser || err != nil || u == nil {
				continue
			}
			name, provider, kind = cmp.Or(u.name(), code), "User", "user"
		}
		entry := newArray()
		entry.set("provider", provider)
		entry.set("name", name)
		entry.set("provider_id", kind)
		names.set(code, entry)
	}
	return names, nil
}
