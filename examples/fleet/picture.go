package main

import (
	"bytes"
	"fmt"
	"time"
)

// The measures of the picture, in pixels.
const (
	width, left, right = 780.0, 74.0, 752.0
	top, rowHeight     = 104.0, 7.0
	laneHeight         = workers*rowHeight + 22
)

// draw draws what the processes did: a lane for each, in it a row for each worker, in it a bar for
// each answer.
func (r *result) draw() []byte {
	var total time.Duration
	for _, w := range r.works {
		total = max(total, w.end)
	}
	x := func(at time.Duration) float64 { return left + (right-left)*float64(at)/float64(max(total, 1)) }
	bottom := top + laneHeight*float64(r.processes)
	var out bytes.Buffer
	put := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	title := fmt.Sprintf("%d people write, and one of %d processes is killed", r.people, r.processes)
	if r.processes == 1 {
		title = fmt.Sprintf("%d people write, and the process is killed", r.people)
	}
	put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%[1]g" height="%[2]g" role="img" aria-label="%s">`, width, bottom+44, title)
	put(`<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f }
.title { font-size: 17px; font-weight: 600 } .soft { fill: #5b6570; font-size: 12px } .strong { font-weight: 600 }
.card { fill: #ffffff; stroke: #d5dae0 } .lane { fill: #f4f6f8 } .grid { stroke: #d5dae0 } .kill { stroke: #cf222e; stroke-width: 1.5 } .killed { fill: #cf222e }
.once { fill: #0b7285 } .cut { fill: #cf222e } .again { fill: #d9822b }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .soft { fill: #9aa5b1 } .card { fill: #0f141a; stroke: #30363d } .lane { fill: #171e26 } .grid { stroke: #30363d }
.kill { stroke: #ff7b72 } .killed { fill: #ff7b72 } .once { fill: #3fc1d3 } .cut { fill: #ff7b72 } .again { fill: #f2b155 } }
</style>`)
	put(`<rect class="card" x="0.5" y="0.5" width="%g" height="%g" rx="10"/>`, width-1, bottom+43)
	put(`<text class="title" x="28" y="34">%s</text>`, title)
	put(`<text class="soft" x="28" y="55">%d answers, %d missing, %d twice, %d out of order. A bar is an answer, from the beginning of its callback.</text>`,
		r.answered, r.missing, r.twice, r.disordered)
	for i, entry := range []struct{ class, text string }{{"once", "answered"}, {"cut", "cut off by the kill"}, {"again", "begun again"}} {
		at := 28 + 150*float64(i)
		put(`<rect class="%s" x="%g" y="68" width="12" height="12" rx="2"/><text x="%g" y="79">%s</text>`, entry.class, at, at+19, entry.text)
	}
	for i := range r.processes {
		y := top + laneHeight*float64(i)
		put(`<rect class="lane" x="%g" y="%.1f" width="%g" height="%g" rx="4"/>`, left-6, y-4, right-left+12, workers*rowHeight+7)
		put(`<text class="strong" x="28" y="%.1f">%s</text>`, y+workers*rowHeight/2+4, lane(i))
	}
	step := 500 * time.Millisecond
	for total/step > 8 {
		step *= 2
	}
	for at := time.Duration(0); at <= total; at += step {
		put(`<line class="grid" x1="%.1f" x2="%[1]g" y1="%.1f" y2="%.1f"/>`, x(at), bottom-8, bottom-3)
		put(`<text class="soft" x="%.1f" y="%.1f" text-anchor="middle">%g s</text>`, x(at), bottom+12, at.Seconds())
	}
	r.bars(put, x)
	put(`<line class="kill" x1="%.1f" x2="%[1]g" y1="%g" y2="%.1f"/>`, x(r.killed), top-10, bottom-10)
	put(`<text class="killed" x="%.1f" y="%.1f" text-anchor="end">kill -9</text>`, x(r.killed)-4, bottom+30)
	put(`<line class="grid" stroke-dasharray="3 3" x1="%.1f" x2="%[1]g" y1="%g" y2="%.1f"/>`, x(r.restarted), top-10, bottom-10)
	put(`<text class="soft" x="%.1f" y="%.1f" text-anchor="start">started again</text>`, x(r.restarted)+4, bottom+30)
	put(`</svg>`)
	return out.Bytes()
}

// bars draws the answers, each in a row that is free.
func (r *result) bars(put func(string, ...any), x func(time.Duration) float64) {
	held := map[any]bool{}
	for _, message := range r.held {
		held[message] = true
	}
	free := make([][workers]time.Duration, r.processes) // from when on
	for _, w := range r.works {
		row := 0
		for i, from := range free[w.process] {
			if from <= w.begun {
				row = i
				break
			}
		}
		free[w.process][row] = w.end
		class := "once"
		switch {
		case w.cut:
			class = "cut"
		case held[w.message]:
			class = "again"
		}
		put(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%g" rx="1"/>`, class, x(w.begun),
			top+laneHeight*float64(w.process)+rowHeight*float64(row), max(x(w.end)-x(w.begun)-0.6, 1), rowHeight-1.5)
	}
}
