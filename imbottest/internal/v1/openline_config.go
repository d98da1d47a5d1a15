package v1

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// columns returns the settings of a line by their columns, all of them texts.
func columns(l *world.Line) *php.Array {
	w := l.Welcome
	return php.Object("ID", l.ID.String(), "ACTIVE", php.YesNo(l.Active), "LINE_NAME", l.Name,
		"CRM", "N", "CRM_CREATE", "none", "QUEUE_TIME", "60", "NO_ANSWER_TIME", "60", "QUEUE_TYPE", "all", "CHECK_AVAILABLE", "N",
		"WELCOME_MESSAGE", "Y", "WELCOME_MESSAGE_TEXT", greeting, "NO_ANSWER_RULE", "none", "NO_ANSWER_BOT_ID", "0",
		"WELCOME_BOT_ENABLE", php.YesNo(w.Enable), "WELCOME_BOT_JOIN", w.Join, "WELCOME_BOT_ID", w.ID.String(),
		"WELCOME_BOT_TIME", strconv.FormatInt(w.Time, 10), "WELCOME_BOT_LEFT", w.Left,
		"WORKTIME_ENABLE", "N", "LANGUAGE_ID", world.Language)
}

// addQueue adds the operators of a line, as texts or as numbers.
func addQueue(w *world.World, l *world.Line, to *php.Array, numbers bool) {
	queue, users := php.NewArray(), php.NewArray()
	for _, id := range l.Operators {
		if numbers {
			queue.Add(php.Number(id))
		} else {
			queue.Add(id.String())
		}
		u := w.Users[id]
		var position any
		if u.Position != "" {
			position = u.Position
		}
		users.Set(id.String(), php.Object("USER_NAME", u.Name(), "USER_WORK_POSITION", position, "USER_AVATAR", "", "USER_AVATAR_ID", nil))
	}
	to.Set("QUEUE", queue)
	if !numbers {
		full := php.NewArray()
		for _, id := range l.Operators {
			full.Set(id.String(), php.Object("USER_ID", id.String()))
		}
		to.Set("QUEUE_FULL", full)
	}
	to.Set("QUEUE_USERS_FIELDS", users)
}

// lineList checks no right, and selects, filters and orders by columns.
func lineList(c *world.Call) (any, *world.Refusal) {
	params, options := c.Params.Array("PARAMS"), c.Params.Array("OPTIONS")
	for _, name := range []string{"select", "order", "filter"} {
		if params.Given(name) && params.Array(name) == nil {
			return nil, world.BadRequest("INVALID_FORMAT", "Wrong format of "+name)
		}
	}
	lines, fail := filteredLines(c.World, params.Array("filter"))
	if fail != nil {
		return nil, fail
	}
	slices.SortStableFunc(lines, orderOf(params.Array("order")))
	limit, offset := 50, max(0, int(params.ID("offset")))
	if params.Given("limit") {
		limit = max(0, int(params.ID("limit")))
	}
	found := php.NewArray()
	for _, l := range lines[min(offset, len(lines)):] {
		if found.Len() == limit && limit > 0 {
			break
		}
		entry := php.NewArray()
		all, selected := columns(l), params.Array("select")
		for _, name := range all.Keys {
			if selected.Len() == 0 || slices.Contains(selected.Texts(), name) || slices.Contains(selected.Texts(), "*") {
				entry.Set(name, all.Values[name])
			}
		}
		if options.Text("QUEUE") == "Y" {
			addQueue(c.World, l, entry, true)
		}
		if options.Text("CONFIG_QUEUE") == "Y" {
			queue := php.NewArray()
			for _, id := range l.Operators {
				queue.Add(php.Object("ENTITY_TYPE", "user", "ENTITY_ID", id.String()))
			}
			entry.Set("CONFIG_QUEUE", queue)
		}
		found.Add(entry)
	}
	return found, nil
}

// filteredLines are the lines that a filter keeps, by id. This portal knows "" and "=" for equal
// and "!" and "!=" for others; a value may be a list.
func filteredLines(w *world.World, filter *php.Array) ([]*world.Line, *world.Refusal) {
	var kept []*world.Line
	for _, id := range world.SortedIDs(w.Lines) {
		l := w.Lines[id]
		fields, keep := columns(l), true
		for i := range filter.Len() {
			key := filter.Keys[i]
			column := strings.TrimLeft(key, "!=")
			not := strings.HasPrefix(key, "!")
			if !fields.Has(column) {
				return nil, world.NewRefusal(world.ErrPHP.Status, world.ErrPHP.Code, fmt.Sprintf("The portal in memory filters lines by no %.40q", key))
			}
			values := []string{filter.Text(key)}
			if list := filter.Array(key); list != nil {
				values = list.Texts()
			}
			keep = keep && slices.Contains(values, fields.Text(column)) != not
		}
		if keep {
			kept = append(kept, l)
		}
	}
	return kept, nil
}

// orderOf compares lines by columns, numbers as numbers.
func orderOf(order *php.Array) func(a, b *world.Line) int {
	return func(a, b *world.Line) int {
		for i := range order.Len() {
			column := order.Keys[i]
			x, y := columns(a).Text(column), columns(b).Text(column)
			result := cmp.Or(cmp.Compare(php.ToID(x), php.ToID(y)), cmp.Compare(x, y))
			if strings.EqualFold(order.Text(column), "DESC") {
				result = -result
			}
			if result != 0 {
				return result
			}
		}
		return 0
	}
}

// lineOf is the line of CONFIG_ID, nil when there is none.
func lineOf(c *world.Call) (*world.Line, *world.Refusal) {
	id := c.Params.ID("CONFIG_ID")
	if id <= 0 {
		return nil, world.BadRequest("CONFIG_ID_EMPTY", "Config ID can't be empty")
	}
	return c.World.Lines[id], nil
}

// lineGet checks no right either. All people of this portal are there, so SHOW_OFFLINE hides none.
func lineGet(c *world.Call) (any, *world.Refusal) {
	l, fail := lineOf(c)
	switch {
	case fail != nil:
		return nil, fail
	case l == nil:
		return false, nil
	}
	fields := columns(l)
	if c.Params.Text("WITH_QUEUE") != "N" {
		addQueue(c.World, l, fields, false)
	}
	return fields, nil
}

// lineUpdate answers false without a reason.
func lineUpdate(c *world.Call) (any, *world.Refusal) {
	l, fail := lineOf(c)
	switch {
	case fail != nil:
		return nil, fail
	case c.User != world.Admin:
		return nil, world.Forbidden("CONFIG_WRONG_USER_PERMISSION", "You don't have permission to change the line")
	case l == nil:
		return false, nil
	}
	params := c.Params.Array("PARAMS")
	operators := l.Operators
	if params.Has("QUEUE") {
		operators = nil
		queue := params.Array("QUEUE")
		for i := range queue.Len() {
			entry := queue.Array(queue.Keys[i])
			if id := entry.ID("ENTITY_ID"); entry.Text("ENTITY_TYPE") == "user" && canTake(c.World, id) {
				operators = append(operators, id)
			}
		}
		if len(operators) == 0 {
			return false, nil
		}
	}
	l.Operators = operators
	if params.Given("LINE_NAME") {
		l.Name = params.Text("LINE_NAME")
	}
	if params.Given("ACTIVE") {
		l.Active = params.Text("ACTIVE") == "Y"
	}
	if slices.ContainsFunc([]string{"ENABLE", "ID", "JOIN", "TIME", "LEFT"}, func(name string) bool { return params.Given("WELCOME_BOT_" + name) }) {
		l.Welcome = updated(l.Welcome, params)
	}
	return true, nil
}

// updated are the settings after an update that has one of the five fields: those that are
// missing are reset, and without WELCOME_BOT_ENABLE=Y all others.
func updated(w world.WelcomeBot, params *php.Array) world.WelcomeBot {
	next := world.NoWelcomeBot
	next.Enable = w.Enable
	if params.Given("WELCOME_BOT_ENABLE") {
		next.Enable = params.Text("WELCOME_BOT_ENABLE") == "Y"
	}
	if params.Text("WELCOME_BOT_ENABLE") != "Y" {
		return next
	}
	next.ID = params.ID("WELCOME_BOT_ID")
	if params.Text("WELCOME_BOT_JOIN") == "first" {
		next.Join = "first"
	}
	if params.Given("WELCOME_BOT_TIME") {
		next.Time = max(0, int64(params.ID("WELCOME_BOT_TIME")))
	}
	if params.Text("WELCOME_BOT_LEFT") == "close" {
		next.Left = "close"
	}
	return next
}
