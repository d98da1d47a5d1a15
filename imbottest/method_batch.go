package imbottest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxBatch is how many commands one batch runs.
const maxBatch = 50

// batch runs the commands of CMD one after another. The lock is not held between them.
func (c *outerCall) batch() (any, *restError) {
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
			continue // the answer does not mention it
		}
		if n++; n > maxBatch {
			done["result_error"].set(key, badRequest("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded").value())
			continue
		}
		start := time.Now()
		result, fail := c.runCommand(command, done)
		if fail == errPHP {
			return nil, fail // nothing catches it, so nobody is told what has run
		}
		if fail != nil {
			done["result_error"].set(key, c.p.shown(fail).value())
			if halt {
				break
			}
			continue
		}
		value, err := toValue(result)
		if err != nil {
			return nil, newError(http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "Internal server error")
		}
		done["result"].set(key, value)
		if page, ok := result.(paged); ok {
			done["result_total"].set(key, json.Number(strconv.Itoa(page.total)))
			if page.next > 0 {
				done["result_next"].set(key, json.Number(strconv.Itoa(page.next)))
			}
		}
		name, _ := splitCommand(command)
		done["result_time"].set(key, c.addOperatingTime(name, start))
	}
	return out, nil
}

// splitCommand parts a command of a batch into method and query, as PHP parses a URL: what
// follows a # is lost.
func splitCommand(command string) (name, query string) {
	command, _, _ = strings.Cut(command, "#")
	name, query, _ = strings.Cut(command, "?")
	return name, query
}

// runCommand runs one command of a batch. done are the parts of the answer so far.
func (c *outerCall) runCommand(command string, done map[string]*array) (result any, fail *restError) {
	name, query := splitCommand(command)
	sent := parseForm([]byte(query))
	one := *c
	one.inBatch = true
	one.params, one.sent = newArray(), sent
	upperKeys(one.params, sent)
	one.start = resolve(one.params.get("START"), done)
	for _, reserved := range []string{"AUTH", "ACCESS_TOKEN", "START", "STATE"} {
		one.params.remove(reserved)
	}
	for _, k := range one.params.keys {
		one.params.values[k] = resolve(one.params.values[k], done)
	}
	c.p.Lock()
	x := c.p.record(name, sent, true)
	x.Batch = c.exchange
	c.p.Unlock()
	defer func() { c.p.endCommand(x, result, fail) }()
	if strings.EqualFold(name, "batch") {
		return nil, newError(http.StatusMethodNotAllowed, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
	}
	if fail := c.checkOperatingTime(name); fail != nil {
		return nil, fail
	}
	c.p.Lock()
	f := c.p.takeFault(name, kindCommand)
	c.p.Unlock()
	c.wait(f.Delay)
	if !f.answersCommand() || f.Cut == AfterRun {
		if result, fail = one.run(name); fail == errPHP {
			return nil, fail
		}
	}
	if f.answersCommand() { // in place of a result, when it has run
		return f.ofCommand()
	}
	if one.handled { // its codes are what the function says
		return result, fail
	}
	return result, c.replaceCode(fail)
}

// isCoreError reports whether the code is one of the portal's core. The core gives it in
// place of the code that is documented for the method.
func (e *restError) isCoreError() bool {
	switch e.code {
	case "CHAT_ID", "CANCELED", "ERROR_NO_ACCESS", "PARAM_KEYBOARD_ERROR", "PARAM_MENU_ERROR", "EMPTY_USER_ID",
		"ACCESS_DENIED_EXTEND", "ACCESS_DENIED_KICK", "USER_NOT_FOUND", "LEAVE_OWNER_FORBIDDEN":
		return true
	}
	return false
}

// replaceCode is the error of a failed command as a batch answers it. The core remembers
// its last error until the batch ends, and the portal answers that in place of every
// error that is not of the core.
func (c *outerCall) replaceCode(fail *restError) *restError {
	switch {
	case fail == nil:
	case fail.isCoreError():
		c.coreError = fail
	case c.coreError != nil:
		return c.coreError
	}
	return fail
}

// reference matches what begins with $result or its like, with everything up to the next
// white space. It is a reference when there is a bracket in it.
var (
	reference = regexp.MustCompile(`\$(?i:(result|error|total|time|next))[^ \t\n\v\f\r]*`)
	bracket   = regexp.MustCompile(`\[([^\]]+)\]`)
)

// resolve replaces references to earlier commands in a parameter, the whole word that each
// is. The portal does that in all texts, even in those that people wrote.
func resolve(v any, done map[string]*array) any {
	switch v := v.(type) {
	case *array:
		for _, k := range v.keys {
			v.values[k] = resolve(v.values[k], done)
		}
	case string:
		if v != "" && reference.FindString(v) == v && bracket.MatchString(v) {
			return follow(v, done)
		}
		return reference.ReplaceAllStringFunc(v, func(ref string) string {
			if !bracket.MatchString(ref) {
				return ref
			}
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

// follow returns what a reference refers to. When a part of its path is missing, it is
// the array where that part should be.
func follow(ref string, done map[string]*array) any {
	name := "result"
	if kind := reference.FindStringSubmatch(ref)[1]; kind != "result" { // "results", too, is one
		name += "_" + kind
	}
	results := done[name]
	if results == nil { // a kind in another case, such as $Result, refers to nothing
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

// hideCommands leaves only the method of each command in the recorded parameters of a
// batch. Each command is recorded with its parameters by itself.
func hideCommands(params *array) {
	for _, k := range params.keys {
		commands, ok := params.values[k].(*array)
		if !ok || !strings.EqualFold(k, "cmd") {
			continue
		}
		names := newArray()
		for _, key := range commands.keys {
			name, _ := splitCommand(text(commands.values[key]))
			names.set(key, name)
		}
		params.set(k, names)
	}
}

// hideToken takes the token of a new bot out of the fields of a call, and returns it as
// what is to be hidden and by what.
func hideToken(params *array) (secrets []string) {
	for _, k := range params.keys {
		fields, ok := params.values[k].(*array)
		if !ok || !strings.EqualFold(k, "fields") {
			continue
		}
		open := newArray()
		for _, name := range fields.keys {
			if !isCredential(name) {
				open.set(name, fields.values[name])
			} else if secret := text(fields.values[name]); len(secret) >= minSecret {
				secrets = append(secrets, secret, hidden)
			}
		}
		params.set(k, open)
	}
	return secrets
}
