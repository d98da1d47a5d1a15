// Benchmarks measures the SDK against its own promises, beside an earlier build of
// itself and beside others, and prints tables in Markdown. See README.md.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime"
	"slices"
)

func main() {
	groups := os.Args[1:]
	if slices.Equal(groups, []string{servesPortals}) {
		servePortals() // in the process that polling starts
	}
	parts := []string{"answers", "streams", "calls", "events", "memory", "portals", "size", "polling", "pictures"}
	if slices.ContainsFunc(groups, func(name string) bool { return !slices.Contains(parts, name) }) {
		log.Fatalf("the parts are %v", parts)
	}
	fmt.Printf("%s, %s/%s, %d CPUs\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, groups) // removes what it has built, also when it is interrupted
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, groups []string) error {
	now, then, done, err := builds(ctx)
	if err != nil {
		return err
	}
	defer done()
	if slices.Contains(groups, "pictures") {
		return takePictures(ctx, now, then)
	}
	for _, part := range []struct {
		name    string
		turns   int // 1 where nothing depends on the machine
		measure func(context.Context, *build) error
	}{
		{"answers", 1, probes("TestBroadcast|TestWholeBroadcast", "1x")},
		{"streams", 1, probes("TestStreams|TestRendering", "1x")},
		{"calls", 3, both(probes("TestCalls", "50ms"), instructions)},
		{"events", 3, probes("TestEvents", "20ms")},
		{"memory", 3, probes("TestMemory", "1x")},
		{"portals", 3, probes("TestPortals", "1x")},
		{"size", 1, size},
	} {
		if len(groups) > 0 && !slices.Contains(groups, part.name) {
			continue
		}
		for range part.turns { // in turn, so that a busy moment does not hit only one
			for _, b := range []*build{then, now} {
				if b == nil {
					continue
				}
				if err := part.measure(ctx, b); err != nil {
					return fmt.Errorf("%s of %s: %w", part.name, b.name, err)
				}
			}
		}
	}
	promises(os.Stdout, now, then)
	streams(os.Stdout, now, then)
	peers(os.Stdout, now)
	if len(groups) == 0 || slices.Contains(groups, "polling") {
		polling(os.Stdout)
	}
	return nil
}
