package interop

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// install makes sure that node and the packages are there, or skips the test. It
// installs packages under CI only: "go test ./..." of anybody else fetches nothing.
func install(t *testing.T) (node string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: node is not in PATH, and the clients are programs for it")
	}
	if installed() {
		return node
	}
	if os.Getenv("CI") != "true" {
		t.Skip("skipped: the clients are not installed; type (cd imbottest/interop && npm ci --ignore-scripts)")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("skipped: npm is not in PATH, and the clients are not installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund").CombinedOutput()
	if err != nil || !installed() {
		t.Skipf("skipped: npm cannot install the clients: %v\n%s", err, out)
	}
	return node
}

// installed reports whether node_modules has the versions of package.json.
func installed() bool {
	var want struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if read("package.json", &want) != nil {
		return false
	}
	for name, version := range want.Dependencies {
		var got struct {
			Version string `json:"version"`
		}
		if read(filepath.Join("node_modules", name, "package.json"), &got) != nil || got.Version != version {
			return false
		}
	}
	return true
}

func read(name string, into any) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// The lock file is for everybody: it names no registry.
func TestTheLockFileNamesNoHost(t *testing.T) {
	var lock struct {
		Packages map[string]struct {
			Version, Resolved, Integrity string
		} `json:"packages"`
	}
	require.NoError(t, read("package-lock.json", &lock))
	require.Greater(t, len(lock.Packages), 2)
	for name, p := range lock.Packages {
		require.Empty(t, p.Resolved, name)
		require.Equal(t, name != "", p.Integrity != "", name)
	}
}

// portal is examples/portal, running. Its fields are what the scripts read.
type portal struct {
	TLS        bool           `json:"tls"`
	Hook       string         `json:"hook"`
	ClientID   string         `json:"clientID"`
	Secret     string         `json:"secret"`
	EventToken string         `json:"eventToken"`
	Server     string         `json:"server"`
	Tokens     map[string]any `json:"tokens"`
	Person     int64          `json:"person"`

	page      string
	authority string // the name of a file
	client    *http.Client
}

// startPortal runs examples/portal until the test ends.
func startPortal(t *testing.T, program string, args ...string) *portal {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, append([]string{"-addr", "127.0.0.1:0", "-users", "Anna Ivanova", "-oauth"}, args...)...)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
		if t.Failed() {
			t.Logf("the portal says:\n%s", log.String())
		}
	})
	p := &portal{TLS: len(args) > 0, client: &http.Client{}}
	var printed strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Interrupt") {
		printed.WriteString(lines.Text() + "\n")
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch rest = strings.TrimSpace(rest); word {
		case "messenger":
			p.page = rest
		case "webhook":
			p.Hook = strings.TrimSuffix(rest, "/")
		case "application":
			p.ClientID, _, _ = strings.Cut(rest, ",")
		case "secret":
			p.Secret = rest
		case "event":
			p.EventToken = strings.TrimSpace(strings.TrimPrefix(rest, "token"))
		case "server":
			p.Server = rest
		case "tokens":
			require.NoError(t, json.Unmarshal([]byte(rest), &p.Tokens))
		}
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, p.Tokens, "the portal printed:\n%s%s", &printed, &log)
	if p.TLS {
		block, _ := pem.Decode([]byte(printed.String()))
		require.NotNil(t, block, printed.String())
		p.authority = filepath.Join(t.TempDir(), "authority.pem")
		require.NoError(t, os.WriteFile(p.authority, pem.EncodeToMemory(block), 0o600))
		authorities := x509.NewCertPool()
		require.True(t, authorities.AppendCertsFromPEM(pem.EncodeToMemory(block)))
		p.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}}
	}
	var state struct {
		Users []struct {
			ID   int64
			Name string
		}
	}
	p.ask(t, "state?user=1", &state)
	for _, u := range state.Users {
		if u.Name == "Anna Ivanova" {
			p.Person = u.ID
		}
	}
	require.NotZero(t, p.Person)
	return p
}

// ask reads what the messenger shows.
func (p *portal) ask(t *testing.T, what string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.page+"api/"+what, nil)
	require.NoError(t, err)
	resp, err := p.client.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", body)
	require.NoError(t, json.Unmarshal(body, into), "%s", body)
}

type message struct {
	ID       int64
	Author   int64
	Text     string
	Keyboard []map[string]any
}

func (p *portal) messages(t *testing.T, dialog string) (list []message) {
	t.Helper()
	var seen struct{ Messages []message }
	p.ask(t, fmt.Sprintf("messages?user=%d&dialog=%s&before=0&limit=50", p.Person, dialog), &seen)
	return seen.Messages
}

// outcome is what a step has printed.
type outcome struct {
	Step  string
	Value json.RawMessage
	Error string
}

// run lets a script make its steps.
func (p *portal) run(t *testing.T, node, script string) map[string]outcome {
	t.Helper()
	settings, err := json.Marshal(p)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, script)
	cmd.Env = append(os.Environ(), "INTEROP="+string(settings), "NODE_EXTRA_CA_CERTS="+p.authority, "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	require.NoError(t, err, "%s%s", stdout, &stderr)
	steps := map[string]outcome{}
	for line := range bytes.Lines(stdout) {
		var made outcome
		require.NoError(t, json.Unmarshal(line, &made), "%s", line)
		steps[made.Step] = made
	}
	return steps
}

func TestClientsInOtherLanguages(t *testing.T) {
	node := install(t)
	program := filepath.Join(t.TempDir(), "portal.exe")
	built, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../examples/portal").CombinedOutput()
	require.NoError(t, err, "%s", built)
	for _, script := range []string{"b24jssdk.mjs", "bitrix.mjs"} {
		for name, args := range map[string][]string{"without TLS": nil, "with TLS": {"-tls"}} {
			t.Run(script+" "+name, func(t *testing.T) {
				t.Parallel()
				p := startPortal(t, program, args...)
				hold(t, p, script, p.run(t, node, script))
			})
		}
	}
}

// hold holds each step against what the portal has then.
func hold(t *testing.T, p *portal, script string, steps map[string]outcome) {
	step := func(name string, check func(t *testing.T, value string)) {
		t.Run(name, func(t *testing.T) {
			made, ok := steps[name]
			require.True(t, ok, "the script did not come so far")
			delete(steps, name)
			require.Empty(t, made.Error)
			check(t, string(made.Value))
		})
	}
	var bot int64
	if script == "b24jssdk.mjs" && !p.TLS {
		step("webhook without TLS", func(t *testing.T, value string) {
			require.Equal(t, `"JSSDK_HOOK_URL_NOT_HTTPS"`, value, "when this is accepted, the webhook can be tried without TLS, too")
		})
	}
	step("health check", func(t *testing.T, value string) { require.Equal(t, "true", value) })
	step("ping", func(t *testing.T, value string) { require.Regexp(t, `^\d+$`, value) })
	step("register", func(t *testing.T, value string) {
		require.NoError(t, json.Unmarshal([]byte(value), &bot))
		var state struct {
			Users []struct {
				ID   int64
				Name string
				Bot  bool
			}
		}
		p.ask(t, "state?user=1", &state)
		last := state.Users[len(state.Users)-1]
		require.Equal(t, bot, last.ID)
		require.Equal(t, "Interop", last.Name)
		require.True(t, last.Bot)
	})
	step("message with keyboard", func(t *testing.T, value string) {
		seen := p.messages(t, fmt.Sprint(bot))
		require.Len(t, seen, 1)
		require.Equal(t, value, fmt.Sprint(seen[0].ID))
		require.Equal(t, bot, seen[0].Author)
		require.Equal(t, "[B]Hello[/B] + 100 % & # ж", seen[0].Text)
		require.Len(t, seen[0].Keyboard, 3)
		require.Equal(t, "Docs & more", seen[0].Keyboard[0]["TEXT"])
		require.Contains(t, seen[0].Keyboard[0]["LINK"], "https://example.com/?a=1&")
		require.Equal(t, "NEWLINE", seen[0].Keyboard[1]["TYPE"])
		require.Equal(t, "roll", seen[0].Keyboard[2]["COMMAND"])
		require.Equal(t, "6 #1", seen[0].Keyboard[2]["COMMAND_PARAMS"])
	})
	step("batch of 50 with references", func(t *testing.T, value string) {
		var ids map[string]int64
		require.NoError(t, json.Unmarshal([]byte(value), &ids))
		require.Len(t, ids, 50)
		var said []message
		for _, m := range p.messages(t, fmt.Sprintf("chat%d", ids["chat"])) {
			if m.Author == bot {
				said = append(said, m)
			}
		}
		require.Len(t, said, 49)
		for i, m := range said {
			require.Equal(t, ids[fmt.Sprintf("m%d", i+1)], m.ID)
			require.Equal(t, fmt.Sprintf("%d + 100 %% & # ? ж", i+1), m.Text)
		}
	})
	step("OAuth call", func(t *testing.T, value string) {
		require.Contains(t, value, `"ADMIN":true`)
		require.Contains(t, value, `"ID":"1"`)
	})
	step("renewal", func(t *testing.T, value string) {
		var renewed struct {
			Profile     map[string]any
			AccessToken string `json:"access_token"`
			Times       int
		}
		require.NoError(t, json.Unmarshal([]byte(value), &renewed))
		require.Equal(t, "1", renewed.Profile["ID"])
		require.Equal(t, 1, renewed.Times)
		require.NotEmpty(t, renewed.AccessToken)
		require.NotEqual(t, p.Tokens["access_token"], renewed.AccessToken)
	})
	require.Empty(t, steps, "steps that nobody has checked")
}
