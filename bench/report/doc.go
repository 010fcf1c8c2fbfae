// Package report turns a result.Run into what people read: report.md, charts in
// SVG, and results.json with everything that was counted.
//
// It measures nothing and decides by no other rules than result's verdicts. What
// was to be reached is a table (goals.go).
//
// All functions are pure but Write, which makes a directory; any number of
// goroutines may use them.
//
// Life cycle: Write once, when the run has ended or was cut short.
//
// Charts show at most as many contenders as there are colours.
package report
