package report

import (
	"bytes"
	"fmt"
	"html"
	"math"
)

// palette is Okabe and Ito's, which colour-blind readers can tell apart.
var palette = [...]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7f7f7f", "#e69f00", "#56b4e9", "#000000"}

func colour(i int) string { return palette[i%len(palette)] }

// An svg is a picture that grows element by element.
type svg struct{ bytes.Buffer }

func newSVG(width, height float64, title string) *svg {
	s := &svg{}
	fmt.Fprintf(s, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %g %g" font-family="sans-serif" font-size="12">`+"\n",
		width, height, width, height)
	fmt.Fprintf(s, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	s.text(margin, 22, "start", title)
	return s
}

func (s *svg) end() []byte {
	s.WriteString("</svg>\n")
	return s.Bytes()
}

func (s *svg) text(x, y float64, anchor, text string) {
	fmt.Fprintf(s, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, html.EscapeString(text))
}

// A rect is a place and a size.
type rect struct{ x, y, width, height float64 }

func (s *svg) box(r rect, fill string) {
	fmt.Fprintf(s, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", r.x, r.y, r.width, r.height, fill)
}

func (s *svg) grid(x1, y1, x2, y2 float64) {
	fmt.Fprintf(s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#ddd"/>`+"\n", x1, y1, x2, y2)
}

func (s *svg) path(points [][2]float64, stroke string) {
	s.WriteString(`<polyline fill="none" stroke-width="2" stroke="` + stroke + `" points="`)
	for _, p := range points {
		fmt.Fprintf(s, "%.1f,%.1f ", p[0], p[1])
	}
	s.WriteString("\"/>\n")
}

// legend names the series in one row.
func (s *svg) legend(y float64, names []string) {
	x := margin
	for i, name := range names {
		s.box(rect{x, y - 9, 10, 10}, colour(i))
		s.text(x+14, y, "start", name)
		x += 14 + 8*float64(len(name)) + 16
	}
}

const (
	margin     = 12.0
	chartWidth = 860.0
	headHeight = 56.0
)

// A group is bars that stand together, one for each series; NaN is none.
type group struct {
	name   string
	values []float64
}

const (
	barHeight  = 13.0
	groupSpace = 12.0
	nameWidth  = 190.0
	valueWidth = 60.0
)

// bars draws groups of horizontal bars from zero.
func bars(title string, series []string, groups []group) []byte {
	height, most := headHeight, 0.0
	for _, g := range groups {
		for _, v := range g.values {
			if !math.IsNaN(v) {
				height += barHeight
				most = max(most, v)
			}
		}
		height += groupSpace
	}
	s := newSVG(chartWidth, height, title)
	s.legend(42, series)
	y := headHeight
	for _, g := range groups {
		s.text(nameWidth-8, y+barHeight-2, "end", g.name)
		for i, v := range g.values {
			if math.IsNaN(v) {
				continue
			}
			width := v / most * (chartWidth - nameWidth - valueWidth)
			s.box(rect{nameWidth, y, width, barHeight - 2}, colour(i))
			s.text(nameWidth+width+4, y+barHeight-3, "start", number(v))
			y += barHeight
		}
		y += groupSpace
	}
	return s.end()
}

// A curve is a line of latency over the share of requests.
type curve struct {
	series int
	points [][2]float64 // share below 1, milliseconds above 0
}

const (
	curveHeight = 380.0
	axisWidth   = 60.0
	axisHeight  = 34.0
)

// curves draws latency, in powers of ten, over percentiles, each nine as far from
// the last.
func curves(title string, series []string, lines []curve) []byte {
	low, high, nines := math.Inf(1), 0.0, 1.0
	for _, l := range lines {
		for _, p := range l.points {
			low, high = min(low, p[1]), max(high, p[1])
			nines = max(nines, -math.Log10(1-p[0]))
		}
	}
	if len(lines) == 0 {
		low, high = 0.1, 1
	}
	bottom, top := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	top = max(top, bottom+1)
	s := newSVG(chartWidth, curveHeight, title)
	s.legend(42, series)
	x := func(share float64) float64 {
		return axisWidth + -math.Log10(1-share)/nines*(chartWidth-axisWidth-margin)
	}
	y := func(ms float64) float64 {
		return headHeight + (top-math.Log10(ms))/(top-bottom)*(curveHeight-headHeight-axisHeight)
	}
	for e := bottom; e <= top; e++ {
		at := y(math.Pow(10, e))
		s.grid(axisWidth, at, chartWidth-margin, at)
		s.text(axisWidth-6, at+4, "end", fmt.Sprintf("%g ms", math.Pow(10, e)))
	}
	for _, share := range []float64{0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999} {
		if -math.Log10(1-share) > nines {
			break
		}
		s.grid(x(share), headHeight, x(share), curveHeight-axisHeight)
		s.text(x(share), curveHeight-axisHeight+16, "middle", fmt.Sprintf("%g %%", math.Round(share*1e7)/1e5))
	}
	for _, l := range lines {
		var points [][2]float64
		for _, p := range l.points {
			points = append(points, [2]float64{x(p[0]), y(p[1])})
		}
		s.path(points, colour(l.series))
	}
	return s.end()
}
