// Package b24gosdk stands in for the vendor's SDK, so that a page about it compiles without it: it
// declares what its documentation of v0.2.0 shows, no more, and was not compared with its code.
package b24gosdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

type Params map[string]any

type Client struct{ url string }

type Core struct{ url string }

type Result struct{ Result json.RawMessage }

func NewClient(webhookURL string) *Client { return &Client{webhookURL} }

func (c *Client) Core() *Core { return &Core{c.url} }

func (c *Core) Call(ctx context.Context, method string, params Params) (*Result, error) {
	body, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.url, "/")+"/"+method, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	var result Result
	return &result, json.NewDecoder(response.Body).Decode(&result)
}
