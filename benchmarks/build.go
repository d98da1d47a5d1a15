package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// before is the commit that today's build is compared with.
const before = "e98c2e3"

// A build of the SDK with the programs in probe, and what they found.
type build struct {
	name    string
	flags   []string // of go build
	dir     string   // of what is built
	figures map[string][]float64
	runs    []broadcastRun
}

// A broadcastRun is what a probe tells of one broadcast.
type broadcastRun struct {
	Way      string       `json:"way"`
	Every    float64      `json:"every"`
	Longest  float64      `json:"longest"`
	Waits    [][2]float64 `json:"waits"`
	Share    float64      `json:"share"`
	Requests float64      `json:"requests"`
}

// builds makes both. There is no then when the history lacks it.
func builds(ctx context.Context) (now, then *build, done func(), err error) {
	dir, err := os.MkdirTemp("", "benchmarks")
	if err != nil {
		return nil, nil, nil, err
	}
	done = func() { _ = os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			done()
		}
	}()
	now = &build{name: "today", dir: filepath.Join(dir, "now"), figures: map[string][]float64{}}
	if err := now.make(ctx); err != nil {
		return nil, nil, nil, err
	}
	archive := filepath.Join(dir, "then.tar")
	if out, err := command(ctx, "git", "-C", "..", "archive", "-o", archive, before); err != nil {
		fmt.Printf("\nThe history of this checkout has no %s, so nothing is compared with it (git fetch --unshallow brings it): %s\n", before, out)
		return now, nil, done, nil
	}
	then = &build{name: before, dir: filepath.Join(dir, "then"), figures: map[string][]float64{}}
	root, mod := filepath.Join(dir, "sdk"), filepath.Join(dir, "go.mod")
	then.flags = []string{"-tags=then", "-mod=mod", "-modfile=" + mod}
	if err := os.Mkdir(root, 0o700); err != nil {
		return nil, nil, nil, err
	}
	if _, err := command(ctx, "tar", "-xf", archive, "-C", root); err != nil {
		return nil, nil, nil, err
	}
	sum, err := os.ReadFile("go.sum")
	if err != nil {
		return nil, nil, nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600); err != nil {
		return nil, nil, nil, err
	}
	ours, err := os.ReadFile("go.mod")
	if err != nil {
		return nil, nil, nil, err
	}
	if err := os.WriteFile(mod, bytes.Replace(ours, []byte("=> ../"), []byte("=> "+root), 1), 0o600); err != nil {
		return nil, nil, nil, err
	}
	if err := then.make(ctx); err != nil {
		return nil, nil, nil, err
	}
	return now, then, done, nil
}

func (b *build) make(ctx context.Context) error {
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		return err
	}
	_, err := command(ctx, "go", slices.Concat([]string{"test", "-c"}, b.flags, []string{"-o", b.probe(), "./probe"})...)
	return err
}

func (b *build) probe() string { return filepath.Join(b.dir, "probe.test") }

func command(ctx context.Context, name string, args ...string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput() //nolint:gosec // what this program says
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", name, args[0], err, out)
	}
	return out, err
}

// probes runs tests of the probe and reads what they print.
func probes(tests, benchtime string) func(context.Context, *build) error {
	return func(ctx context.Context, b *build) error {
		cmd := exec.CommandContext(ctx, b.probe(), "-test.run=^("+tests+")$", "-test.benchtime="+benchtime) //nolint:gosec // as above
		cmd.Dir = "probe"
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return b.read(out)
	}
}

func (b *build) read(out []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		kind, rest, _ := strings.Cut(lines.Text(), "\t")
		switch kind {
		case "figure":
			name, text, _ := strings.Cut(rest, "\t")
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return err
			}
			b.add(name, value)
		case "run":
			var r broadcastRun
			if err := json.Unmarshal([]byte(rest), &r); err != nil {
				return err
			}
			b.runs = append(b.runs, r)
			name := fmt.Sprintf(" %s %v", r.Way, r.Every)
			b.add("wait"+name, r.Longest)
			b.add("share"+name, r.Share)
			b.add("requests"+name, r.Requests)
		}
	}
	return lines.Err()
}

func (b *build) add(name string, value float64) { b.figures[name] = append(b.figures[name], value) }

// figure is the median of what was measured.
func (b *build) figure(name string) (float64, bool) {
	if b == nil || len(b.figures[name]) == 0 {
		return 0, false
	}
	values := slices.Sorted(slices.Values(b.figures[name]))
	return values[len(values)/2], true
}

func both(measures ...func(context.Context, *build) error) func(context.Context, *build) error {
	return func(ctx context.Context, b *build) error {
		for _, measure := range measures {
			if err := measure(ctx, b); err != nil {
				return err
			}
		}
		return nil
	}
}

var counted = regexp.MustCompile(`Total instructions: (\d+)`)

// instructions counts them for a call in memory, beside net/http, where valgrind is
// installed. What a program does once is not counted.
func instructions(ctx context.Context, b *build) error {
	if _, err := exec.LookPath("valgrind"); errors.Is(err, exec.ErrNotFound) {
		return nil
	}
	count := func(way string, n int) (total float64, err error) {
		log := filepath.Join(b.dir, "instructions.log")
		cmd := exec.CommandContext(ctx, "valgrind", "--tool=exp-bbv", "--instr-count-only=yes", "--bb-out-file="+os.DevNull, "--log-file="+log, b.probe(), "-test.run=^TestInstructions$") //nolint:gosec // as above
		cmd.Env = append(os.Environ(), "PROBE_WAY="+way, "PROBE_N="+strconv.Itoa(n), "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("valgrind: %w: %s", err, out)
		}
		text, err := os.ReadFile(log)
		if err != nil {
			return 0, err
		}
		for _, match := range counted.FindAllSubmatch(text, -1) { // one for each thread
			n, err := strconv.ParseFloat(string(match[1]), 64)
			if err != nil {
				return 0, err
			}
			total += n
		}
		return total, nil
	}
	each := map[string]float64{}
	for _, way := range []string{"bare", "imbot"} {
		few, err := count(way, 1000)
		if err != nil {
			return err
		}
		many, err := count(way, 4000)
		if err != nil {
			return err
		}
		each[way] = many - few
	}
	b.add("instructions", each["imbot"]/each["bare"])
	return nil
}

// size compares the binary of a bot with one that has only net/http.
func size(ctx context.Context, b *build) error {
	sizes := map[string]float64{}
	for _, name := range []string{"bot", "bare"} {
		path := filepath.Join(b.dir, name)
		args := slices.Concat([]string{"build"}, b.flags, []string{"-trimpath", "-ldflags=-s -w", "-o", path, "./probe/" + name})
		if _, err := command(ctx, "go", args...); err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		sizes[name] = float64(info.Size())
	}
	b.add("size", sizes["bot"]/sizes["bare"])
	return nil
}
