package v1

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// portalMethods are the methods about the portal itself. No scope is needed for them but for
// user.current.
func portalMethods(name string) world.Method {
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
		return func(*world.Call) (any, *world.Refusal) { return time.Now().Format(time.RFC3339), nil }
	case "feature.get":
		return featureGet
	case "user.current":
		return userCurrent
	case "user.admin":
		return func(c *world.Call) (any, *world.Refusal) { return c.User == world.Admin, nil }
	case "user.access":
		return userAccess
	case "access.name":
		return accessName
	}
	return nil
}

func appInfo(c *world.Call) (any, *world.Refusal) {
	if c.App == nil {
		return map[string]any{"SCOPE": c.World.Scopes(), "LICENSE": "en_basic"}, nil
	}
	return map[string]any{
		"ID": 1, "CODE": c.App.ClientID, "VERSION": 1, "STATUS": "L", "INSTALLED": c.App.Finished, "PAYMENT_EXPIRED": "N",
		"DAYS": nil, "LANGUAGE_ID": world.Language, "LICENSE": "en_basic", "LICENSE_TYPE": "basic", "LICENSE_FAMILY": "basic",
	}, nil
}

func profile(c *world.Call) (any, *world.Refusal) {
	u := c.World.Users[c.User]
	if u == nil {
		return php.NewArray(), nil
	}
	return map[string]any{
		"ID": u.ID.String(), "ADMIN": u.ID == world.Admin, "NAME": u.First, "LAST_NAME": u.Last,
		"PERSONAL_GENDER": u.Gender, "TIME_ZONE": "",
	}, nil
}

// userCurrent is the person whose webhook or token it is.
func userCurrent(c *world.Call) (any, *world.Refusal) {
	u := c.World.Users[c.User]
	if u == nil {
		return php.NewArray(), nil
	}
	kind := "employee"
	if u.Extranet {
		kind = "extranet"
	}
	return map[string]any{
		"ID": u.ID.String(), "ACTIVE": !u.Dismissed, "NAME": u.First, "LAST_NAME": u.Last, "PERSONAL_GENDER": u.Gender,
		"WORK_POSITION": u.Position, "TIME_ZONE": "", "IS_ONLINE": "Y", "UF_DEPARTMENT": []int{1}, "USER_TYPE": kind,
	}, nil
}

func methodGet(c *world.Call) (any, *world.Refusal) {
	name := strings.ToLower(c.Params.Text("NAME"))
	if c.World.Answers[name] != nil {
		return map[string]bool{"isExisting": true, "isAvailable": true}, nil
	}
	known := name == "batch" || c.World.Lookup(name) != nil
	return map[string]bool{"isExisting": known || c.World.ScopeOf(name) != "", "isAvailable": known && c.World.InScope(name)}, nil
}

// methodList lists the methods of SCOPE, which may be empty for those that need no scope,
// or of everything that may be called, or with FULL of all scopes. Of other scopes than
// those of bots this portal has no list.
func methodList(c *world.Call) (any, *world.Refusal) {
	scopes := append([]string{""}, c.World.Scopes()...)
	switch {
	case c.Params.Given("SCOPE"):
		scopes = []string{c.Params.Text("SCOPE")}
	case php.Truthy(c.Params.Get("FULL")):
		scopes = []string{"", "im", "imbot", "imopenlines"}
	}
	list := []string{}
	for _, scope := range scopes {
		list = append(list, world.MethodNames(scope)...)
	}
	if !c.Params.Given("SCOPE") {
		for _, name := range slices.Sorted(maps.Keys(c.World.Answers)) {
			if !slices.ContainsFunc(list, func(known string) bool { return strings.EqualFold(known, name) }) {
				list = append(list, name)
			}
		}
	}
	return list, nil
}

func scopeList(c *world.Call) (any, *world.Refusal) {
	if php.Truthy(c.Params.Get("FULL")) {
		return world.AllScopes(), nil
	}
	return c.World.Scopes(), nil
}

// featureGet says Y to every code, as a portal does to those that it does not know.
func featureGet(c *world.Call) (any, *world.Refusal) {
	switch code := c.Params.Text("CODE"); code {
	case "", "0":
		return nil, world.BadRequest("CODE_EMPTY", "CODE can't be empty")
	case "rest_offline_extended", "rest_auth_connector": // not in the plan of this portal
		return map[string]string{"value": "N"}, nil
	}
	return map[string]string{"value": "Y"}, nil
}

// userAccess reports whether the caller has one of the access codes. The administrator has
// all of them.
func userAccess(c *world.Call) (any, *world.Refusal) {
	codes := []string{c.Params.Text("ACCESS")}
	if list := c.Params.Array("ACCESS"); list != nil {
		codes = list.Texts()
	}
	mine := []string{"G2", "AU", "U" + c.User.String(), "IU" + c.User.String()}
	return c.User == world.Admin || slices.ContainsFunc(codes, func(code string) bool { return slices.Contains(mine, code) }), nil
}

// accessName names the access codes of people and the general ones; this portal has no
// departments, groups and projects.
func accessName(c *world.Call) (any, *world.Refusal) {
	list := c.Params.Array("ACCESS")
	if list.Len() == 0 {
		return false, nil
	}
	names := php.NewArray()
	for _, code := range list.Texts() {
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
			u := c.World.Users[imbot.ID(id)]
			if !isUser || err != nil || u == nil {
				continue
			}
			name, provider, kind = cmp.Or(u.Name(), code), "User", "user"
		}
		entry := php.NewArray()
		entry.Set("provider", provider)
		entry.Set("name", name)
		entry.Set("provider_id", kind)
		names.Set(code, entry)
	}
	return names, nil
}
