// Package imbottest is a Bitrix24 portal in memory, for the tests of chat bots:
// what net/http/httptest is to net/http.
package imbottest
