package imbottest_test

import (
	"strings"
	"testing"
)

func TestBots(t *testing.T) {
	t.Parallel()
	const name = `"PROPERTIES":{"NAME":"New"}`
	urls := func(except string) string {
		var all []string
		for _, key := range []string{"EVENT_MESSAGE_ADD", "EVENT_WELCOME_MESSAGE", "EVENT_BOT_DELETE"} {
			if key != except {
				all = append(all, `"`+key+`":"https://bot.example.com"`)
			}
		}
		return strings.Join(all, ",")
	}
	fiveBots := []string{}
	for _, code := range []string{"b", "c", "d", "e"} {
		fiveBots = append(fiveBots, `imbot.register {"CLIENT_ID":"one","CODE":"`+code+`",`+bindings+`,`+name+`}`)
	}
	runTable(t, "imbot.register", []row{
		{"the client id comes first", `{}`, "403 ACCESS_DENIED", nil},
		{"then the handler for messages", `{"CLIENT_ID":"one"}`, "400 EVENT_MESSAGE_ADD_ERROR", nil},
		{"one bad handler for everything is reported as that for messages", `{"CLIENT_ID":"one","EVENT_HANDLER":"https://localhost/","EVENT_MESSAGE_ADD":"https://bot.example.com"}`, "400 EVENT_MESSAGE_ADD_ERROR", nil},
		{"a host without a dot is refused", `{"CLIENT_ID":"one","EVENT_HANDLER":"https://bot/"}`, "400 EVENT_MESSAGE_ADD_ERROR", nil},
		{"a dot in front is not enough", `{"CLIENT_ID":"one","EVENT_HANDLER":"https://.bot/"}`, "400 EVENT_MESSAGE_ADD_ERROR", nil},
		{"another scheme is refused", `{"CLIENT_ID":"one","EVENT_HANDLER":"ftp://bot.example.com/"}`, "400 EVENT_MESSAGE_ADD_ERROR", nil},
		{"an IPv4 address passes, plain http too", `{"CLIENT_ID":"one","EVENT_HANDLER":"http://127.0.0.1:8080/"}`, "400 CODE_ERROR", nil},
		{"the handler for updates is optional but checked", `{"CLIENT_ID":"one",` + urls("") + `,"EVENT_MESSAGE_UPDATE":"x"}`, "400 EVENT_MESSAGE_UPDATE_ERROR", nil},
		{"so is that for deletions", `{"CLIENT_ID":"one",` + urls("") + `,"EVENT_MESSAGE_DELETE":"x","EVENT_CONTEXT_GET":"x"}`, "400 EVENT_MESSAGE_DELETE_ERROR", nil},
		{"so is that for the context", `{"CLIENT_ID":"one",` + urls("EVENT_WELCOME_MESSAGE") + `,"EVENT_CONTEXT_GET":"x"}`, "400 EVENT_CONTEXT_GET_ERROR", nil},
		{"the welcome handler is required", `{"CLIENT_ID":"one",` + urls("EVENT_WELCOME_MESSAGE") + `}`, "400 EVENT_WELCOME_MESSAGE_ERROR", nil},
		{"the handler for the bot's end is required", `{"CLIENT_ID":"one",` + urls("EVENT_BOT_DELETE") + `}`, "400 EVENT_BOT_DELETE_ERROR", nil},
		{"the code comes after the handlers", `{"CLIENT_ID":"one",` + urls("") + `}`, "400 CODE_ERROR", nil},
		{"the sixth bot of an application is refused before its name is looked at", `{"CLIENT_ID":"one","CODE":"f",` + bindings + `}`, "400 MAX_COUNT_ERROR", fiveBots},
		{"another application has a count of its own", `{"CLIENT_ID":"two","CODE":"f",` + bindings + `,` + name + `}`, "109", fiveBots},
		{"a known code passes at the limit", `{"CLIENT_ID":"one","CODE":"alpha",` + bindings + `,` + name + `}`, `"103"`, fiveBots},
		{"a name is required", `{"CLIENT_ID":"one","CODE":"f",` + bindings + `,"PROPERTIES":{"COLOR":"RED"}}`, "400 NAME_ERROR", nil},
		{"an empty name is a name", `{"CLIENT_ID":"one","CODE":"f",` + bindings + `,"PROPERTIES":{"NAME":""}}`, "105", nil},
		{"a last name is enough", `{"CLIENT_ID":"one","CODE":"f",` + bindings + `,"PROPERTIES":{"LAST_NAME":"New"}}`, "105", nil},
		{"an unreadable birthday has a number as code", `{"CLIENT_ID":"one","CODE":"f",` + bindings + `,"PROPERTIES":{"NAME":"x","PERSONAL_BIRTHDAY":"soon"}}`, "400 0", nil},
		{"a new bot's id is a number", `{"CLIENT_ID":"one","CODE":"f",` + bindings + `,` + name + `}`, "105", nil},
		{"the id of an existing bot is text", `{"CLIENT_ID":"one","CODE":"alpha",` + bindings + `,` + name + `}`, `"103"`, nil},
		{"even that of a foreign one", `{"CLIENT_ID":"two","CODE":"alpha",` + bindings + `,` + name + `}`, `"103"`, nil},
		{"top-level names ignore case", `{"client_id":"one","Code":"f","event_Handler":"https://bot.example.com","properties":{"NAME":"x"}}`, "105", nil},
		{"nested names do not", `{"CLIENT_ID":"one","CODE":"f",` + bindings + `,"PROPERTIES":{"name":"x"}}`, "400 NAME_ERROR", nil},
		{"a taken address makes the bot impossible", `{"CLIENT_ID":"one","CODE":"f",` + bindings + `,"PROPERTIES":{"NAME":"x","EMAIL":"A@example.com"}}`, "400 WRONG_REQUEST",
			[]string{`imbot.register {"CLIENT_ID":"one","CODE":"g",` + bindings + `,"PROPERTIES":{"NAME":"x","EMAIL":"a@example.com"}}`}},
	})
	runTable(t, "imbot.update", []row{
		{"the client id comes first", `{}`, "403 ACCESS_DENIED", nil},
		{"the bot is not chosen automatically", `{"CLIENT_ID":"one"}`, "400 BOT_ID_ERROR", nil},
		{"a person is not a bot", `{"CLIENT_ID":"one","BOT_ID":101}`, "400 BOT_ID_ERROR", nil},
		{"a foreign bot is refused", `{"CLIENT_ID":"one","BOT_ID":104}`, "400 APP_ID_ERROR", nil},
		{"handlers are checked first", `{"CLIENT_ID":"one","BOT_ID":103,"FIELDS":{"EVENT_MESSAGE_ADD":"x","PROPERTIES":{"NAME":"","LAST_NAME":""}}}`, "400 EVENT_MESSAGE_ADD_ERROR", nil},
		{"two empty names are refused", `{"CLIENT_ID":"one","BOT_ID":103,"FIELDS":{"PROPERTIES":{"NAME":"","LAST_NAME":""}}}`, "400 NAME_ERROR", nil},
		{"no fields at all", `{"CLIENT_ID":"one","BOT_ID":103}`, "400 WRONG_REQUEST", nil},
		{"an empty code is no change", `{"CLIENT_ID":"one","BOT_ID":103,"FIELDS":{"CODE":""}}`, "400 WRONG_REQUEST", nil},
		{"the code alone is enough", `{"CLIENT_ID":"one","BOT_ID":"103","FIELDS":{"CODE":"x"}}`, "true", nil},
		{"a handler alone is enough", `{"CLIENT_ID":"one","BOT_ID":103,"FIELDS":{"EVENT_HANDLER":"https://other.example.com"}}`, "true", nil},
	})
	runTable(t, "imbot.unregister", []row{
		{"the client id comes first", `{"BOT_ID":103}`, "403 ACCESS_DENIED", nil},
		{"the bot is not chosen automatically", `{"CLIENT_ID":"one"}`, "400 BOT_ID_ERROR", nil},
		{"a foreign bot is refused", `{"CLIENT_ID":"one","BOT_ID":104}`, "400 APP_ID_ERROR", nil},
		{"an own bot goes", `{"CLIENT_ID":"one","BOT_ID":103}`, "true", nil},
		{"and is gone", `{"CLIENT_ID":"one","BOT_ID":103}`, "400 BOT_ID_ERROR", []string{`imbot.unregister {"CLIENT_ID":"one","BOT_ID":103}`}},
	})
	runTable(t, "imbot.bot.list", []row{
		{"every bot of the portal, by id, without a client id", `{}`, `{"103":{"ID":103,"NAME":"Alpha","CODE":"alpha","OPENLINE":"N"},"104":{"ID":104,"NAME":"Beta","CODE":"beta","OPENLINE":"N"}}`, nil},
		{"no bots are an empty list", `{}`, `[]`, []string{`imbot.unregister {"CLIENT_ID":"one","BOT_ID":103}`, `imbot.unregister {"CLIENT_ID":"two","BOT_ID":104}`}},
		{"an open line bot has OPENLINE, whatever was sent", `{}`, `{"104":{"ID":104,"NAME":"Beta","CODE":"beta","OPENLINE":"N"},"105":{"ID":105,"NAME":"O","CODE":"o","OPENLINE":"Y"}}`,
			[]string{`imbot.unregister {"CLIENT_ID":"one","BOT_ID":103}`, `imbot.register {"CLIENT_ID":"one","CODE":"o","TYPE":"O","OPENLINE":"N",` + bindings + `,"PROPERTIES":{"NAME":"O"}}`}},
	})
}
