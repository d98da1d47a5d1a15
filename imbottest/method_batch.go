package imbottest

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// maxBatch is the number of commands that one batch runs.
const maxBatch = 50

// batch runs commands one after another. Each takes the lock for itself.
func (c *call) batch() (any, *restError) {
	commands := c.params.array("CMD")
	halt := truthy(c.params.get("HALT"))
	done := map[string]*array{}
	out := newArray()
	for _, name := range []string{"result", "result_error", "result_total", "result_next", "result_time"} {
		done[name] = newArray()
		out.set(name, done[name])
	}
	n := 0
	for i := range commands.len() {
		key := commands.keys[i]
		command, ok := commands.values[key].(string)
		if !ok {
			continue // leaves no trace
		}
		if n++; n > maxBatch {
			done["result_error"].set(key, badRequest("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded").value())
			continue
		}
		start := time.Now()
		result, fail := c.runCommand(command, done)
		if fail != nil {
			done["result_error"].set(key, fail.value())
			if halt {
				break
			}
			continue
		}
		value, err := toValue(result)
		if err != nil {
			return nil, &restError{http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "Internal server error"}
		}
		done["result"].set(key, value)
		name, _, _ := strings.Cut(command, "?")
		done["result_time"].set(key, c.addOperatingTime(name, start))
	}
	return out, nil
}

// runCommand runs one runCommand of a batch.
func (c *call) runCommand(command string, done map[string]*array) (result any, fail *restError) {
	name, query, _ := strings.Cut(command, "?")
	sent := parseForm([]byte(query))
	one := *c
	one.params = newArray()
	upperKeys(one.params, sent)
	for _, reserved := range []string{"AUTH", "ACCESS_TOKEN", "START", "STATE"} {
		one.params.remove(reserved)
	}
	for _, k := range one.params.keys {
		one.params.values[k] = resolve(one.params.values[k], done)
	}
	c.p.mu.Lock()
	x := c.p.record(name, sent, true)
	x.Batch = c.exchange
	c.p.mu.Unlock()
	defer func() { c.p.endCommand(x, result, fail) }()
	if strings.EqualFold(name, "batch") {
		return nil, &restError{http.StatusMethodNotAllowed, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage"}
	}
	if fail := c.checkOperatingTime(name); fail != nil {
		return nil, fail
	}
	c.p.mu.Lock()
	f := c.p.takeFault(name, kindCommand)
	c.p.mu.Unlock()
	c.wait(f.Delay)
	if f.Code == "" || f.Cut == AfterRun {
		result, fail = one.run(name)
	}
	if f.Code != "" {
		return nil, f.err() // it did not run, or its result gets lost
	}
	return result, c.replaceCode(fail)
}

// isCoreError reports whether the core of the portal gave the code, which then takes
// the place of the documented one.
func (e *restError) isCoreError() bool {
	switch e.code {
	case "CHAT_ID", "CANCELED", "ERROR_NO_ACCESS", "PARAM_KEYBOARD_ERROR", "PARAM_MENU_ERROR", "EMPTY_USER_ID",
		"ACCESS_DENIED_EXTEND", "ACCESS_DENIED_KICK", "USER_NOT_FOUND", "LEAVE_OWNER_FORBIDDEN":
		return true
	}
	return false
}

// replaceCode is what a batch does to the code of a failed command: an error that
// the core has once recorded stays until the end and takes the place of others.
func (c *call) replaceCode(fail *restError) *restError {
	switch {
	case fail == nil:
	case fail.isCoreError():
		c.coreError = fail
	case c.coreError != nil:
		return c.coreError
	}
	return fail
}

// reference runs to the next white space, whatever follows the brackets.
var (
	reference = regexp.MustCompile(`\$(?i:result|error|total|time|next)\[\S+\]\S*`)
	bracket   = regexp.MustCompile(`\[([^\]]*)\]`)
)

// resolve replaces references to earlier commands in a parameter, the text of
// people included.
func resolve(v any, done map[string]*array) any {
	switch v := v.(type) {
	case *array:
		for _, k := range v.keys {
			v.values[k] = resolve(v.values[k], done)
		}
	case string:
		if reference.FindString(v) == v && v != "" {
			return follow(v, done)
		}
		return reference.ReplaceAllStringFunc(v, func(ref string) string {
			switch found := follow(ref, done).(type) {
			case nil, bool, *array:
				return ref
			default:
				return text(found)
			}
		})
	}
	return v
}

// follow walks a reference as far as it leads.
func follow(ref string, done map[string]*array) any {
	kind, _, _ := strings.Cut(ref[1:], "[")
	name := "result"
	if kind != "result" {
		name += "_" + kind
	}
	results := done[name]
	if results == nil { // $Result is recognised, but finds nothing
		return nil
	}
	var at any = results
	for _, key := range bracket.FindAllStringSubmatch(ref, -1) {
		a, ok := at.(*array)
		if !ok || !a.has(key[1]) {
			break
		}
		at = a.values[key[1]]
	}
	return at
}

// hideCommands leaves only the method of each command of a recorded batch; the
// parameters are recorded with the commands.
func hideCommands(params *array) {
	for _, k := range params.keys {
		commands, ok := params.values[k].(*array)
		if !ok || !strings.EqualFold(k, "cmd") {
			continue
		}
		names := newArray()
		for _, key := range commands.keys {
			name, _, _ := strings.Cut(text(commands.values[key]), "?")
			names.set(key, name)
		}
		params.set(k, names)
	}
}
