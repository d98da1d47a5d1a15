// Benchmarks measures the SDK beside others and against its own promises, and
// prints tables in Markdown. See README.md.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
)

func main() {
	testing.Init()
	if err := flag.Set("test.benchtime", "200ms"); err != nil {
		panic(err)
	}
	if len(os.Args) == 2 && os.Args[1] == "portals" {
		servePortals() // for polling
	}
	parts := []struct {
		name string
		run  func(io.Writer)
	}{{"memory", memoryUse}, {"calls", calls}, {"events", events}, {"pace", pace}, {"polling", polling}}
	fmt.Printf("%s, %s/%s, %d CPUs\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, p := range parts {
		if len(os.Args) == 1 || strings.Contains(strings.Join(os.Args[1:], " "), p.name) {
			p.run(os.Stdout)
		}
	}
}
