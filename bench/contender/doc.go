// Package contender knows the proxies that the benchmark compares: where each is
// found, what version it is, and how its best sensible configuration for a Setup
// reads.
//
// It starts and measures nothing. The configurations are templates of this
// package (templates/), filled from the Setup only, so that every file of a
// report can be made again.
//
// All values are immutable once made; any number of goroutines may use them.
//
// Life cycle: All or Find, then Locate once; Config and Command for each scenario.
//
// What a contender can't do for a Setup is an error that says so (Unable), never
// a configuration that does something else. At most rulesMax rules can be asked for.
package contender
