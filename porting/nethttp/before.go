package nethttp

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"strings"
)

// before registers a bot that repeats what people write to it, with net/http alone.
func before(ctx context.Context, hook, clientID, handlerURL string) (http.Handler, error) {
	call := func(ctx context.Context, method string, form url.Values) (json.RawMessage, error) {
		form.Set("CLIENT_ID", clientID)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, hook+method, strings.NewReader(form.Encode()))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		var answer struct {
			Result json.RawMessage
			Error  string
		}
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
			return nil, err
		}
		if answer.Error != "" {
			return nil, fmt.Errorf("%s: %s", method, answer.Error)
		}
		return answer.Result, nil
	}
	id, err := call(ctx, "imbot.register", url.Values{
		"CODE": {"echo"}, "EVENT_HANDLER": {handlerURL}, "PROPERTIES[NAME]": {"Echo"},
	})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("event") != "ONIMBOTMESSAGEADD" || r.PostFormValue("auth[application_token]") != clientID {
			return
		}
		_, err := call(r.Context(), "imbot.message.add", url.Values{
			"BOT_ID": {string(id)}, "DIALOG_ID": {r.PostFormValue("data[PARAMS][DIALOG_ID]")},
			"MESSAGE": {"You said: " + r.PostFormValue("data[PARAMS][MESSAGE]")},
		})
		if err != nil {
			log.Print(err)
		}
	}), nil
}
