package php

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot"
)

// Text is PHP's conversion to a string. An array, which PHP refuses to convert, is "".
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return numberText(v)
	case bool:
		if v {
			return "1"
		}
	}
	return ""
}

// Trim is PHP's: other blanks of Unicode are text.
func Trim(s string) string { return strings.Trim(s, " \t\n\r\v\x00") }

// numberText is a number of JSON as PHP writes it: an integer as it is, everything else as
// a float with 14 digits, so that 2.0 and 2e0 are "2" and 1e15 is "1.0E+15".
func numberText(n json.Number) string {
	if _, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return n.String()
	}
	f, err := n.Float64()
	if err != nil {
		return n.String()
	}
	const precision = 14
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', precision-1, 64), "E")
	switch e, _ := strconv.Atoi(exponent); {
	case f == 0, -4 <= e && e < precision:
		plain := strconv.FormatFloat(f, 'f', max(0, precision-1-e), 64)
		if strings.Contains(plain, ".") {
			plain = strings.TrimRight(strings.TrimRight(plain, "0"), ".")
		}
		return plain
	default:
		digits = strings.TrimRight(digits, "0")
		if strings.HasSuffix(digits, ".") {
			digits += "0"
		}
		return fmt.Sprintf("%sE%+d", digits, e)
	}
}

// ToID is PHP's cast to int, except that a text with anything else than digits is 0.
func ToID(v any) imbot.ID {
	if n, ok := v.(json.Number); ok {
		if f, err := n.Float64(); err == nil && f != math.Trunc(f) {
			v = json.Number(strconv.FormatFloat(math.Trunc(f), 'f', 0, 64))
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(Text(v)), 10, 64)
	if err != nil {
		return 0
	}
	return imbot.ID(n)
}

// Truthy is PHP's cast to bool.
func Truthy(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != "" && v != "0"
	case json.Number:
		n, err := v.Float64()
		return err != nil || n != 0
	case *Array:
		return v.Len() > 0
	}
	return false
}

// YesNo is a flag as the portal writes it.
func YesNo(b bool) string {
	if b {
		return "Y"
	}
	return "N"
}

// Number is an id as a number of JSON.
func Number(id imbot.ID) json.Number { return json.Number(id.String()) }
