// Package php has the values that a portal computes with, and the conversions that PHP makes.
// A value is one of nil, bool, [json.Number], string and [*Array].
package php

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot"
)

// Array is PHP's array: a map that keeps its order and is a list when its keys
// happen to be 0 to n-1.
type Array struct {
	Keys   []string
	Values map[string]any
}

// NewArray returns an empty array.
func NewArray() *Array { return &Array{Values: map[string]any{}} }

// Get returns the value of a key, nil when there is none; a may be nil.
func (a *Array) Get(key string) any {
	if a == nil {
		return nil
	}
	return a.Values[key]
}

// Has reports whether there is a key; a may be nil.
func (a *Array) Has(key string) bool {
	if a == nil {
		return false
	}
	_, ok := a.Values[key]
	return ok
}

// Set sets the value of a key, which keeps its place when it is there already.
func (a *Array) Set(key string, value any) {
	if _, ok := a.Values[key]; !ok {
		a.Keys = append(a.Keys, key)
	}
	a.Values[key] = value
}

// Remove removes a key.
func (a *Array) Remove(key string) {
	if _, ok := a.Values[key]; !ok {
		return
	}
	delete(a.Values, key)
	for i, k := range a.Keys {
		if k == key {
			a.Keys = append(a.Keys[:i:i], a.Keys[i+1:]...)
			return
		}
	}
}

// Len returns how many members there are; a may be nil.
func (a *Array) Len() int {
	if a == nil {
		return 0
	}
	return len(a.Keys)
}

// Array returns the array at key, nil when there is none.
func (a *Array) Array(key string) *Array {
	child, _ := a.Get(key).(*Array)
	return child
}

// Text is the member of a key as a text.
func (a *Array) Text(key string) string { return Text(a.Get(key)) }

// ID is the member of a key as an id.
func (a *Array) ID(key string) imbot.ID { return ToID(a.Get(key)) }

// Texts are the members that are no arrays, as texts.
func (a *Array) Texts() []string {
	var list []string
	for _, k := range a.Keys {
		if _, nested := a.Values[k].(*Array); !nested {
			list = append(list, Text(a.Values[k]))
		}
	}
	return list
}

// Given is PHP's isset: null does not count.
func (a *Array) Given(key string) bool { return a.Get(key) != nil }

// IsList reports whether the keys are those of a list.
func (a *Array) IsList() bool {
	for i, k := range a.Keys {
		if k != strconv.Itoa(i) {
			return false
		}
	}
	return true
}

// MarshalJSON writes what PHP's json_encode does: an empty array is a list.
func (a *Array) MarshalJSON() ([]byte, error) { return a.appendJSON(nil) }

// appendJSON writes nested arrays itself, because encoding/json would parse the output of
// each nested MarshalJSON again.
func (a *Array) appendJSON(out []byte) ([]byte, error) {
	if a == nil {
		return append(out, "[]"...), nil
	}
	list, brackets := a.IsList(), "{}"
	if list {
		brackets = "[]"
	}
	out = append(out, brackets[0])
	for i, k := range a.Keys {
		if i > 0 {
			out = append(out, ',')
		}
		if !list {
			key, err := json.Marshal(k)
			if err != nil {
				return nil, err
			}
			out = append(append(out, key...), ':')
		}
		var err error
		if child, ok := a.Values[k].(*Array); ok {
			out, err = child.appendJSON(out)
		} else {
			var value []byte
			value, err = json.Marshal(a.Values[k])
			out = append(out, value...)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(out, brackets[1]), nil
}

// UpperKeys copies the members of an array with their names in upper case. That is for
// the names of parameters, whose case the portal ignores. Of two equal names the later
// one wins.
func UpperKeys(into, a *Array) {
	if a == nil {
		return
	}
	for _, k := range a.Keys {
		into.Set(strings.ToUpper(k), a.Values[k])
	}
}

// Entries returns the objects of a list. The list is the named member of from, or from
// itself when there is no such member.
func Entries(from *Array, member string) []*Array {
	if from.Has(member) {
		from = from.Array(member)
	}
	var found []*Array
	for i := range from.Len() {
		if entry := from.Array(from.Keys[i]); entry != nil {
			found = append(found, entry)
		}
	}
	return found
}

// Add appends to a list.
func (a *Array) Add(v any) { a.Set(strconv.Itoa(len(a.Keys)), v) }

// Flag is Y when the member is exactly Y, else N.
func (a *Array) Flag(name string) string { return YesNo(a.Get(name) == "Y") }

// OneOf is the value of a member when it is one of the values, else the first of these.
func (a *Array) OneOf(name string, values ...string) string {
	for _, v := range values {
		if a.Get(name) == v {
			return v
		}
	}
	return values[0]
}

// MapStrings returns a copy of a value with all its strings changed.
func MapStrings(v any, change func(string) string) any {
	switch v := v.(type) {
	case string:
		return change(v)
	case *Array:
		out := NewArray()
		for i := range v.Len() {
			out.Set(v.Keys[i], MapStrings(v.Values[v.Keys[i]], change))
		}
		return out
	}
	return v
}

// Object is an answer's or event's object, from names and values.
func Object(pairs ...any) *Array {
	a := NewArray()
	for i := 0; i+1 < len(pairs); i += 2 {
		value := pairs[i+1]
		switch v := value.(type) {
		case imbot.ID:
			value = Number(v)
		case int:
			value = json.Number(fmt.Sprint(v))
		}
		a.Set(pairs[i].(string), value)
	}
	return a
}

// NoObject is an object without members, which PHP writes as a list in JSON.
type NoObject struct{}

// MarshalJSON writes what the documentation shows.
func (NoObject) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }
