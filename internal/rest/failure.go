package rest

import (
	"strings"
	"time"
)

// Failure is what became of a call that has no result. Its texts are free of
// the secrets of the portal.
type Failure struct {
	Method      string
	Code        string // the portal's code; empty when it gave none
	Description string
	Argument    string // the parameter that the portal names
	StatusCode  int    // HTTP status; 0: nothing was sent, no answer came, or a batch
	Attempts    int    // how often the call was sent
	InBatch     bool   // the call travelled inside a batch
	Kind        Kind
	Cause       error // what lies below, free of secrets; maybe another *Failure

	TooLarge   bool          // the answer is longer than is read
	FromPortal bool          // the answer was an error of the portal, not a page of somebody else
	movedTo    string        // scheme and host to which the portal has moved
	retryAfter time.Duration // how long whoever answered wants to be left alone
}

// Kind is what is known of a failure beside its code.
type Kind int

// The kinds of a failure.
const (
	Answered       Kind = iota // nothing: the code says it all
	Invalid                    // refused before sending
	OutcomeUnknown             // sent, and nobody can tell whether it ran
	NotRun                     // a call of a batch that did not run
	Moved                      // the portal has a new host
)

// Error makes a Failure a possible cause of another one.
func (f *Failure) Error() string {
	parts := []string{"rest"}
	for _, part := range []string{f.Method, f.Code, f.Description} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if f.Cause != nil {
		parts = append(parts, f.Cause.Error())
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns what lies below.
func (f *Failure) Unwrap() error { return f.Cause }

// is compares the code; the portal itself mixes the case.
func (f *Failure) is(code string) bool { return strings.EqualFold(f.Code, code) }

// The codes that the way of a call goes by.
const (
	queryLimitExceeded    = "QUERY_LIMIT_EXCEEDED"
	operationTimeLimit    = "OPERATION_TIME_LIMIT"
	batchLengthExceeded   = "ERROR_BATCH_LENGTH_EXCEEDED"
	batchMethodNotAllowed = "ERROR_BATCH_METHOD_NOT_ALLOWED"
	errorCore             = "ERROR_CORE"
)
