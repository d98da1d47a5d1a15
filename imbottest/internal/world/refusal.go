package world

import (
	"net/http"

	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// Refusal is an error answer.
type Refusal struct {
	Status      int
	Code        string
	description string
}

// NewRefusal is an error answer.
func NewRefusal(status int, code, description string) *Refusal {
	return &Refusal{status, code, description}
}

// BadRequest is a refusal with status 400.
func BadRequest(code, description string) *Refusal {
	return NewRefusal(http.StatusBadRequest, code, description)
}

// Forbidden is a refusal with status 403.
func Forbidden(code, description string) *Refusal {
	return NewRefusal(http.StatusForbidden, code, description)
}

// WithStatus is the refusal with another status.
func (e *Refusal) WithStatus(status int) *Refusal { return NewRefusal(status, e.Code, e.description) }

// Value is the refusal as the body of an answer.
func (e *Refusal) Value() *php.Array {
	a := php.NewArray()
	a.Set("error", e.Code)
	a.Set("error_description", e.description)
	return a
}

// ErrNoMethod is the answer to a name that no method has, and to a path of the wrong form.
var ErrNoMethod = NewRefusal(http.StatusNotFound, "ERROR_METHOD_NOT_FOUND", "Method not found!")

// ErrScope is the answer when the webhook or token lacks the scope of a method.
var ErrScope = NewRefusal(http.StatusUnauthorized, "insufficient_scope", "The request requires higher privileges than provided by the webhook token")

// ErrPHP is the answer when the portal's PHP code throws an error that nobody catches.
var ErrPHP = NewRefusal(http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "Internal server error")
