package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"math"
	"os"
	"strings"
)

// figures is what the pictures show, as it is kept beside them.
type figures struct {
	Waits  []line `json:"waits"`
	Shares []bar  `json:"shares"`
}

// A line is how long people waited who wrote during a broadcast.
type line struct {
	Way   string       `json:"way"`
	Then  [][2]float64 `json:"then"` // second of the broadcast, seconds until the answer was seen
	Today [][2]float64 `json:"today"`
}

// A bar is the share of what the bucket allows that a broadcast got.
type bar struct {
	Way     string  `json:"way"`
	Writing bool    `json:"writing"` // people write meanwhile
	Then    float64 `json:"then"`    // 0: it could not do that
	Today   float64 `json:"today"`
}

const (
	figuresFile = "figures.json"
	answersFile = "answers.svg"
	bucketFile  = "bucket.svg"
)

// takePictures measures and draws.
func takePictures(ctx context.Context, now, then *build) error {
	if then == nil {
		return errors.New("the pictures compare with " + before)
	}
	for _, b := range []*build{now, then} {
		if err := probes("TestBroadcast", "1x")(ctx, b); err != nil {
			return err
		}
	}
	var f figures
	for _, way := range []string{"auto", "workers", "ahead"} {
		f.Waits = append(f.Waits, line{way, then.find(way, 1).every(5), now.find(way, 1).every(5)})
	}
	share := func(b *build, way string, every float64) float64 {
		return math.Round(1000*min(1, b.find(way, every).Share)) / 1000
	}
	for _, way := range []string{"one", "workers", "doall", "ahead", "auto"} {
		b := bar{Way: way, Then: share(then, way, 0), Today: share(now, way, 0)}
		if way == "ahead" {
			b.Then = 0 // DoAll had no Ahead
		}
		f.Shares = append(f.Shares, b)
	}
	f.Shares = append(f.Shares, bar{"auto", true, share(then, "auto", 1), share(now, "auto", 1)})
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{figuresFile: append(data, '\n'), answersFile: f.answers(), bucketFile: f.bucket()} {
		if err := os.WriteFile(name, content, 0o644); err != nil { //nolint:gosec // everybody may see them
			return err
		}
		fmt.Println(name)
	}
	return nil
}

func (b *build) find(way string, every float64) broadcastRun {
	for _, r := range b.runs {
		if r.Way == way && r.Every == every {
			return r
		}
	}
	return broadcastRun{}
}

// every keeps one in n of those who waited, and all of the first and the last.
func (r broadcastRun) every(n int) (waits [][2]float64) {
	for i, wait := range r.Waits {
		if i < n || i%n == 0 || i == len(r.Waits)-1 {
			waits = append(waits, [2]float64{wait[0], math.Round(1000*wait[1]) / 1000})
		}
	}
	return waits
}

// A canvas is a picture that is being drawn.
type canvas struct{ bytes.Buffer }

const width = 780

func newCanvas(height int, title, subtitle string) *canvas {
	var c canvas
	c.put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-label="%s">`, width, height, html.EscapeString(title))
	c.put(`<style>`)
	c.put(`text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f }`)
	c.put(`.title { font-size: 17px; font-weight: 600 } .soft { fill: #5b6570; font-size: 12px } .strong { font-weight: 600 } .on { font-size: 12px; fill: #ffffff }`)
	c.put(`.card { fill: #ffffff; stroke: #d5dae0 } .grid { stroke: #e7eaee } .axis { stroke: #8c959f }`)
	c.put(`.then { stroke: #c2571a; fill: none } .today { stroke: #0b7285; fill: none } .thenfill { fill: #c2571a } .todayfill { fill: #0b7285 }`)
	c.put(`@media (prefers-color-scheme: dark) {`)
	c.put(`text { fill: #e6edf3 } .soft { fill: #9aa5b1 } .on { fill: #0f141a } .card { fill: #0f141a; stroke: #30363d } .grid { stroke: #222932 } .axis { stroke: #6e7681 }`)
	c.put(`.then { stroke: #f0883e } .today { stroke: #3fc1d3 } .thenfill { fill: #f0883e } .todayfill { fill: #3fc1d3 } }`)
	c.put(`</style>`)
	c.put(`<rect class="card" x="0.5" y="0.5" width="%d" height="%d" rx="10"/>`, width-1, height-1)
	c.text(28, 36, "title", "start", title)
	c.text(28, 58, "soft", "start", subtitle)
	return &c
}

func (c *canvas) put(format string, args ...any) { fmt.Fprintf(c, format+"\n", args...) }

func (c *canvas) text(x, y float64, class, anchor, text string) {
	c.put(`<text x="%.4g" y="%.4g" class="%s" text-anchor="%s">%s</text>`, x, y, class, anchor, html.EscapeString(text))
}

// legend says what the colours are.
func (c *canvas) legend(y float64) {
	for i, name := range []string{"then", "today"} {
		x := 28 + float64(i)*170
		c.put(`<rect class="%sfill" x="%.4g" y="%.4g" width="12" height="12" rx="2"/>`, name, x, y-11)
		c.text(x+19, y, "", "start", []string{"before (" + before + ")", "today"}[i])
	}
}

func (c *canvas) end() []byte {
	c.put(`</svg>`)
	return c.Bytes()
}

// answers draws the waiting times, on a logarithmic scale.
func (f figures) answers() []byte {
	c := newCanvas(440, "How long a person waits for an answer during a broadcast",
		"20,000 messages go out, one person writes each second. 2 requests a second are allowed; a command takes 50 ms.")
	const (
		left, right, top, bottom = 82.0, 590.0, 112.0, 386.0
		end                      = 150.0 // seconds
		least, most              = 0.02, 300.0
	)
	x := func(second float64) float64 { return left + (right-left)*second/end }
	y := func(wait float64) float64 {
		return bottom - (bottom-top)*math.Log(max(wait, least)/least)/math.Log(most/least)
	}
	c.legend(88)
	for _, tick := range []float64{0.05, 0.1, 1, 10, 60, 180} {
		c.put(`<line class="grid" x1="%.4g" x2="%.4g" y1="%.4g" y2="%[3]g"/>`, left, right, math.Round(10*y(tick))/10)
		label := seconds(tick)
		if tick >= 60 {
			label = fmt.Sprintf("%.0f min", tick/60)
		}
		c.text(left-10, y(tick)+4.5, "soft", "end", label)
	}
	for tick := 0.0; tick <= end; tick += 30 {
		c.put(`<line class="axis" x1="%.4g" x2="%[1]g" y1="%.4g" y2="%.4g"/>`, x(tick), bottom, bottom+5)
		c.text(x(tick), bottom+21, "soft", "middle", fmt.Sprintf("%.0f s", tick))
	}
	c.put(`<line class="axis" x1="%.4g" x2="%.4g" y1="%.4g" y2="%[3]g"/>`, left, right, bottom)
	c.text((left+right)/2, bottom+40, "soft", "middle", "when the person writes, after the broadcast began")

	names := map[string]string{"auto": "WithAutoBatch", "workers": "64 workers"}
	draw := func(class string, waits [][2]float64) {
		var points []string
		for _, w := range waits {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(w[0]), y(w[1])))
		}
		c.put(`<polyline class="%s" stroke-width="2.5" stroke-linejoin="round" stroke-linecap="round" points="%s"/>`, class, strings.Join(points, " "))
	}
	today := 0.0
	for _, l := range f.Waits {
		draw("then", l.Then)
		draw("today", l.Today)
		today = max(today, longest(l.Today))
		if most := longest(l.Then); most > 1 { // the others lie under today's
			at := y(most) // two labels must not touch
			if l.Way == "auto" {
				at -= 14
			} else {
				at += 10
			}
			c.text(right+14, at, "strong", "start", names[l.Way])
			c.text(right+14, at+16, "soft", "start", "up to "+seconds(most))
		}
	}
	c.text(right+14, y(today)-10, "strong", "start", "today: both, and DoAll")
	c.text(right+14, y(today)+6, "soft", "start", "at most "+seconds(today))
	c.text(right+14, y(today)+22, "soft", "start", "(DoAll before, too)")
	return c.end()
}

func longest(waits [][2]float64) (most float64) {
	for _, w := range waits {
		most = max(most, w[1])
	}
	return most
}

// bucket draws how much of what the portal allows a broadcast gets through.
func (f figures) bucket() []byte {
	const rowHeight, top, left, right = 58.0, 118.0, 236.0, 690.0
	height := top + rowHeight*float64(len(f.Shares)) + 44
	c := newCanvas(int(height), "How much of what the portal allows is sent, by way of sending",
		"Of the messages that fit into 2 requests a second with 50 commands each; a command takes 50 ms.")
	c.legend(88)
	x := func(share float64) float64 { return left + (right-left)*share }
	for tick := 0.0; tick <= 1; tick += 0.25 {
		c.put(`<line class="grid" x1="%.4g" x2="%[1]g" y1="%.4g" y2="%.4g"/>`, x(tick), top-10, height-36)
		c.text(x(tick), height-18, "soft", "middle", fmt.Sprintf("%.0f %%", 100*tick))
	}
	names := map[string][2]string{
		"one":     {"one after another", "Message.Add in a loop"},
		"workers": {"64 workers", "Message.Add side by side"},
		"doall":   {"DoAll", "at most one batch ahead"},
		"ahead":   {"DoAll with Ahead(8)", "in order within each dialog"},
		"auto":    {"WithAutoBatch", "all calls side by side"},
	}
	for i, b := range f.Shares {
		y := top + rowHeight*float64(i)
		name := names[b.Way]
		if b.Writing {
			name[1] = "a person writes each second"
		}
		c.text(left-16, y+15, "strong", "end", name[0])
		c.text(left-16, y+33, "soft", "end", name[1])
		for j, share := range []float64{b.Then, b.Today} {
			at := y + 1 + 20*float64(j)
			if share == 0 {
				c.text(left+8, at+13, "soft", "start", "not there yet")
				continue
			}
			c.put(`<rect class="%sfill" x="%.4g" y="%.4g" width="%.4g" height="16" rx="3"/>`, []string{"then", "today"}[j], left, at, x(share)-left)
			if b.Writing {
				waits := [][][2]float64{f.Waits[0].Then, f.Waits[0].Today}[j]
				c.text(left+8, at+12.5, "on", "start", "who waits for the answer up to "+seconds(longest(waits)))
			}
			c.text(x(share)+8, at+13, "", "start", fmt.Sprintf("%.0f %%", 100*share))
		}
	}
	return c.end()
}
