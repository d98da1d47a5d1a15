//go:build !unix

package pgtest

import (
	"os/exec"
	"testing"
)

func as(cmd *exec.Cmd) *exec.Cmd { return cmd }

func own(testing.TB, string) {}

// Hang needs signals.
func (s *Server) Hang(string) (goOn func()) {
	s.t.Skip("sessions cannot be stopped here")
	return nil
}

// Freeze needs signals.
func (s *Server) Freeze() (goOn func()) { return s.Hang("") }
