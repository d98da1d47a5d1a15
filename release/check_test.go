package release_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A repository is a small one with a root and one module beside it.
type repository struct {
	*testing.T
	dir, check string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	for _, tool := range []string{"bash", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	check, err := filepath.Abs("check")
	require.NoError(t, err)
	r := repository{t, t.TempDir(), check}
	r.run("git", "init", "-q", "-b", "main")
	r.write("go.mod", "module example.com/root\n\ngo 1.25.0\n")
	r.write("root.go", "package root\n\nfunc Kept() {}\n\nfunc Gone() {}\n\ntype T struct{}\n\nfunc (*T) Lost() {}\n")
	r.write("engine/go.mod", "module example.com/root/engine\n\ngo 1.25.0\n\nrequire example.com/root v0.0.0\n\nreplace example.com/root => ../\n")
	r.write("engine/engine.go", "package engine\n\nimport \"example.com/root\"\n\nfunc Open() { root.Kept() }\n")
	r.write("benchmarks/go.mod", "module example.com/root/benchmarks\n\nreplace example.com/root => ../\n")
	r.write("CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n## 0.1.0 - 2026-01-02\n\nFirst version.\n")
	r.commit()
	return r
}

func (r repository) run(name string, args ...string) string {
	r.Helper()
	out, err := r.command(name, args...).CombinedOutput()
	require.NoError(r, err, string(out))
	return string(out)
}

func (r repository) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(r.Context(), name, args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	return cmd
}

func (r repository) write(name, text string) {
	r.Helper()
	path := filepath.Join(r.dir, name)
	require.NoError(r, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(r, os.WriteFile(path, []byte(text), 0o600))
}

func (r repository) commit() {
	r.Helper()
	r.run("git", "add", "-A")
	r.run("git", "commit", "-q", "-m", "x")
}

// passes checks a version and returns what is next.
func (r repository) passes(version string) string {
	r.Helper()
	_, next, _ := strings.Cut(r.run(r.check, version), "next: ")
	return strings.TrimSpace(next)
}

// fails checks a version and wants each line among those that say what is wrong.
func (r repository) fails(version string, lines ...string) {
	r.Helper()
	out, err := r.command(r.check, version).CombinedOutput()
	require.Error(r, err, string(out))
	for _, line := range lines {
		require.Contains(r, string(out), "wrong: "+line)
	}
	require.Equal(r, len(lines), strings.Count(string(out), "wrong: "), string(out))
}

const released = "module example.com/root/engine\n\ngo 1.25.0\n\nrequire example.com/root "

func TestTagsComeInOrder(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	require.Equal(t, "git tag v0.1.0", r.passes("v0.1.0"))

	r.run("git", "tag", "engine/v0.1.0")
	r.fails("v0.1.0", "engine/v0.1.0 is tagged before the root")
	r.run("git", "tag", "-d", "engine/v0.1.0")

	r.run("git", "tag", "v0.1.0")
	r.fails("v0.1.0", "engine: go.mod has a replace", "engine: go.mod requires v0.0.0 of the root, not v0.1.0")
	r.write("engine/go.mod", released+"v0.1.0\n")
	r.commit()
	require.Equal(t, "git tag engine/v0.1.0", r.passes("v0.1.0"))
	r.run("git", "tag", "engine/v0.1.0")

	r.write("later.go", "package root\n")
	r.commit()
	r.run("git", "tag", "-f", "v0.1.0")
	r.fails("v0.1.0", "engine: engine/v0.1.0 does not stand on v0.1.0")
	r.run("git", "tag", "-f", "v0.1.0", "engine/v0.1.0")

	r.write("engine/go.mod", released+"v0.1.0\n\nreplace example.com/root => ../\n") // for those who go on
	r.commit()
	require.Empty(t, r.passes("v0.1.0"))
}

func TestARootThatIsNotReadyIsNotTagged(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.write("go.mod", "module example.com/root\n\ngo 1.25.0\n\nreplace (\n\texample.com/other => ../other\n)\n")
	r.write("CHANGELOG.md", "# Changelog\n\n## 0.1.0\n\n## Unreleased\n")
	r.commit()
	r.write("new.go", "package root\n")
	r.fails("v0.1.0", "there are changes that no commit has", "go.mod has a replace",
		"CHANGELOG.md: the first chapter is not Unreleased", "CHANGELOG.md: no chapter \"## 0.1.0 - YYYY-MM-DD\"")
	out, err := r.command(r.check, "0.1").CombinedOutput()
	require.ErrorContains(t, err, "exit status 2", string(out))
}

func TestTheChangelogNamesWhatIsTakenAway(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.run("git", "tag", "v0.1.0")
	r.write("engine/go.mod", released+"v0.1.0\n")
	r.commit()
	r.run("git", "tag", "engine/v0.1.0")

	r.write("root.go", "package root\n\nfunc Kept() {}\n\ntype T struct{}\n\nfunc New() {}\n")
	r.write("CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-02-03\n\n* `T.Lost`: nothing. `GoneBy`\n\n"+
		"## 0.1.1 - 2026-02-02\n\n* `Gone` and `T.Lost`\n")
	r.commit()
	r.fails("v0.2.0", ".: CHANGELOG.md does not name Gone: - Gone: removed")
	r.fails("v0.1.1", ".: a patch of v0.1.0 takes something away")

	r.write("CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-02-03\n\n* `T.Lost`, `Gone`: nothing.\n")
	r.write("engine/engine.go", "package engine\n\nfunc Start() {}\n")
	r.commit()
	require.Equal(t, "git tag v0.2.0", r.passes("v0.2.0"))
	r.run("git", "tag", "v0.2.0")
	r.write("engine/go.mod", released+"v0.2.0\n")
	r.commit()
	r.fails("v0.2.0", "engine: CHANGELOG.md does not name Open: - Open: removed")
}
