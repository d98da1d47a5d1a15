// Bare does what bot does with net/http and encoding/json alone.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("POST /", func(_ http.ResponseWriter, r *http.Request) {
		body, err := json.Marshal(map[string]string{
			"CLIENT_ID": os.Getenv("CLIENT_ID"), "DIALOG_ID": r.FormValue("data[PARAMS][DIALOG_ID]"), "MESSAGE": r.FormValue("data[PARAMS][MESSAGE]"),
		})
		if err != nil {
			log.Print(err)
			return
		}
		req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, os.Getenv("WEBHOOK_URL")+"imbot.message.add", bytes.NewReader(body))
		if err != nil {
			log.Print(err)
			return
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			log.Print(err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		var answer struct {
			Result int64  `json:"result"`
			Error  string `json:"error"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Error != "" {
			log.Print(err, answer.Error)
		}
	})
	log.Fatal(http.ListenAndServe(":8080", nil)) //nolint:gosec // only its size is of interest
}
