//go:build !unix

package pgtest

import (
	"os/exec"
	"testing"
)

func as(cmd *exec.Cmd) *exec.Cmd { return cmd }

func own(testing.TB, string) {}
