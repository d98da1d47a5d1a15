package killtest

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	one, two, other := event{1, 1}, event{1, 2}, event{2, 1}
	all := map[event]bool{one: true, two: true, other: true}
	start := func(pid int, e event) line { return line{what: "start", pid: pid, event: e} }
	end := func(pid int, e event) line { return line{what: "end", pid: pid, event: e} }
	again := func(pid int, e event) line { return line{what: "start", pid: pid, event: e, again: true} }
	at := func(ms int, l line) line { l.at = time.UnixMilli(int64(ms)); return l }
	for name, row := range map[string]struct {
		lines        []line
		acknowledged map[event]bool
		kills        []kill
		is           Result
	}{
		"each once, side by side": {
			[]line{start(1, one), start(1, other), end(1, one), start(2, two), end(1, other), end(2, two)}, all, nil, Result{},
		},
		"one never ended":          {[]line{start(1, one)}, map[event]bool{one: true}, nil, Result{Lost: 1}},
		"one never started":        {nil, map[event]bool{one: true}, nil, Result{Lost: 1}},
		"the others do not count":  {[]line{start(1, two), start(1, one), start(1, one)}, nil, nil, Result{}},
		"repeated by the way":      {[]line{start(1, one), again(2, one), end(2, one), start(2, two), end(2, two)}, map[event]bool{one: true, two: true}, nil, Result{Twice: 1}},
		"repeated without a word":  {[]line{start(1, one), end(1, one), start(2, one)}, map[event]bool{one: true}, nil, Result{Twice: 1, Silent: 1}},
		"the second first":         {[]line{start(1, two), end(1, two), start(1, one), end(1, one)}, map[event]bool{one: true, two: true}, nil, Result{OutOfOrder: 1}},
		"side by side in a dialog": {[]line{start(1, one), start(1, two), end(1, one), end(1, two)}, map[event]bool{one: true, two: true}, nil, Result{OutOfOrder: 1}},
		"the first once more, behind the second": {
			[]line{start(1, one), end(1, one), start(1, two), end(1, two), again(2, one), end(2, one)},
			map[event]bool{one: true, two: true}, nil, Result{Twice: 1, OutOfOrder: 1},
		},
		"taken over": {
			[]line{
				at(1, start(1, one)), at(2, start(1, other)), at(3, end(1, other)), at(4, start(2, event{3, 1})), at(5, end(2, event{3, 1})),
				at(12, start(2, event{2, 2})), at(20, again(2, one)), at(21, end(2, one)),
			},
			map[event]bool{one: true, other: true},
			[]kill{{1, time.UnixMilli(10)}, {2, time.UnixMilli(30)}},
			Result{Twice: 1, TakeOver: []time.Duration{10 * time.Millisecond}},
		},
	} {
		require.Equal(t, row.is, judge(row.lines, row.acknowledged, row.kills), name)
	}
}

func TestReadTheJournal(t *testing.T) {
	t.Parallel()
	name := t.TempDir() + "/journal"
	require.Empty(t, read(t, name))
	require.NoError(t, os.WriteFile(name, []byte("start 7 1000 3 4 0\nend 7 2000 3 4 1\nstart 7 30"), 0o600))
	require.Equal(t, []line{{"start", 7, time.Unix(0, 1000), event{3, 4}, false}, {"end", 7, time.Unix(0, 2000), event{3, 4}, true}}, read(t, name))
}

func TestAResultIsOneLine(t *testing.T) {
	t.Parallel()
	r := Result{Rounds: 2, Acknowledged: 9, BrokenOff: 1, Twice: 3, Took: time.Second, TakeOver: []time.Duration{time.Millisecond, 2 * time.Millisecond}}
	require.Equal(t, "9 acknowledged, 1 broken off, 0 refused, 2 rounds in 1s: 0 lost, 3 twice, 0 silent, 0 out of order, 0 stuck; taken over after 2ms, 2ms at most", r.String())
}
