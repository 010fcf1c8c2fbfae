// Package result holds what a run of the benchmark has found, and the statistics
// that are drawn from it.
//
// It measures and prints nothing. A Run is what results.json contains; every
// figure of a report can be computed from it again.
//
// Values belong to who made them; nothing here is changed once a scenario has
// ended, and any number of goroutines may read it.
//
// Life cycle: package rounds fills a Scenario, the command a Run, package report
// reads it.
//
// Limits: a comparison needs at least roundsMin rounds; with fewer every verdict
// is Undecided.
package result
