package imbottest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/php"
	v2 "github.com/imbot-go/imbot/imbottest/internal/v2"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// maxBatch is how many commands one batch runs.
const maxBatch = 50

// batch runs the commands of CMD one after another. The lock is not held between them.
func (c *call) batch() (any, *world.Refusal) {
	commands := c.Params.Array("CMD")
	halt := php.Truthy(c.Params.Get("HALT"))
	done := map[string]*php.Array{}
	out := php.NewArray()
	for _, name := range []string{"result", "result_error", "result_total", "result_next", "result_time"} {
		done[name] = php.NewArray()
		out.Set(name, done[name])
	}
	n := 0
	for i := range commands.Len() {
		key := commands.Keys[i]
		command, ok := commands.Values[key].(string)
		if !ok {
			continue // the answer does not mention it
		}
		if n++; n > maxBatch {
			done["result_error"].Set(key, world.BadRequest("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded").Value())
			continue
		}
		start := time.Now()
		result, fail := c.runCommand(command, done)
		if fail == world.ErrPHP {
			return nil, fail // nothing catches it, so nobody is told what has run
		}
		if fail != nil {
			done["result_error"].Set(key, c.p.shown(fail).Value())
			if halt {
				break
			}
			continue
		}
		value, err := php.ToValue(result)
		if err != nil {
			return nil, world.NewRefusal(http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "Internal server error")
		}
		done["result"].Set(key, value)
		if page, ok := result.(paged); ok {
			done["result_total"].Set(key, json.Number(strconv.Itoa(page.total)))
			if page.next > 0 {
				done["result_next"].Set(key, json.Number(strconv.Itoa(page.next)))
			}
		}
		name, _ := splitCommand(command)
		done["result_time"].Set(key, c.addOperatingTime(name, start, world.DoubtBatchOperating))
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
func (c *call) runCommand(command string, done map[string]*php.Array) (result any, fail *world.Refusal) {
	name, query := splitCommand(command)
	sent := parseForm([]byte(query))
	one := *c
	one.InBatch = true
	one.Params, one.Sent = php.NewArray(), sent
	php.UpperKeys(one.Params, sent)
	one.start = resolve(one.Params.Get("START"), done)
	for _, reserved := range []string{"AUTH", "ACCESS_TOKEN", "START", "STATE"} {
		one.Params.Remove(reserved)
	}
	if v2.Lookup(strings.ToLower(name)) == nil || !c.p.w.Differs(world.DoubtBatchReferences) {
		for _, k := range one.Params.Keys {
			one.Params.Values[k] = resolve(one.Params.Values[k], done)
		}
	}
	c.p.w.Lock()
	x := c.p.record(name, sent, true)
	x.Batch = c.exchange
	c.p.w.Unlock()
	defer func() { c.p.endCommand(x, result, fail) }()
	if strings.EqualFold(name, "batch") {
		return nil, world.NewRefusal(http.StatusMethodNotAllowed, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
	}
	if fail := c.checkOperatingTime(name); fail != nil {
		return nil, fail
	}
	c.p.w.Lock()
	f := c.p.takeFault(name, kindCommand)
	c.p.w.Unlock()
	c.wait(f.Delay)
	if !f.answersCommand() || f.Cut == AfterRun {
		if result, fail = one.run(name); fail == world.ErrPHP {
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
func isCoreError(e *world.Refusal) bool {
	switch e.Code {
	case "CHAT_ID", "CANCELED", "ERROR_NO_ACCESS", "PARAM_KEYBOARD_ERROR", "PARAM_MENU_ERROR", "EMPTY_USER_ID",
		"ACCESS_DENIED_EXTEND", "ACCESS_DENIED_KICK", "USER_NOT_FOUND", "LEAVE_OWNER_FORBIDDEN":
		return true
	}
	return false
}

// replaceCode is the error of a failed command as a batch answers it. The core remembers
// its last error until the batch ends, and the portal answers that in place of every
// error that is not of the core.
func (c *call) replaceCode(fail *world.Refusal) *world.Refusal {
	switch {
	case fail == nil:
	case isCoreError(fail):
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
func resolve(v any, done map[string]*php.Array) any {
	switch v := v.(type) {
	case *php.Array:
		for _, k := range v.Keys {
			v.Values[k] = resolve(v.Values[k], done)
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
			case nil, bool, *php.Array:
				return ref
			default:
				return php.Text(found)
			}
		})
	}
	return v
}

// follow returns what a reference refers to. When a part of its path is missing, it is
// the array where that part should be.
func follow(ref string, done map[string]*php.Array) any {
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
		a, ok := at.(*php.Array)
		if !ok || !a.Has(key[1]) {
			break
		}
		at = a.Values[key[1]]
	}
	return at
}

// hideCommands leaves only the method of each command in the recorded parameters of a
// batch. Each command is recorded with its parameters by itself.
func hideCommands(params *php.Array) {
	for _, k := range params.Keys {
		commands, ok := params.Values[k].(*php.Array)
		if !ok || !strings.EqualFold(k, "cmd") {
			continue
		}
		names := php.NewArray()
		for _, key := range commands.Keys {
			name, _ := splitCommand(php.Text(commands.Values[key]))
			names.Set(key, name)
		}
		params.Set(k, names)
	}
}

// hideToken takes the token of a new bot out of the fields of a call, and returns it as
// what is to be hidden and by what.
func hideToken(params *php.Array) (secrets []string) {
	for _, k := range params.Keys {
		fields, ok := params.Values[k].(*php.Array)
		if !ok || !strings.EqualFold(k, "fields") {
			continue
		}
		open := php.NewArray()
		for _, name := range fields.Keys {
			if !isCredential(name) {
				open.Set(name, fields.Values[name])
			} else if secret := php.Text(fields.Values[name]); len(secret) >= minSecret {
				secrets = append(secrets, secret, hidden)
			}
		}
		params.Set(k, open)
	}
	return secrets
}
