// Package process starts the programs of the benchmark on the processors that
// they shall have, and reads what the kernel has counted for them.
//
// It measures nothing by itself: a Usage is one look at /proc and at the
// process's CPU clock, the difference of two is the caller's.
//
// A Starter owns the thread that all programs are children of, so that none
// outlives the benchmark; it may be used by several goroutines at once. A Process
// belongs to who started it.
//
// Life cycle: NewStarter once, Start, Usage any number of times, Stop. After Stop
// the process and its children are gone.
//
// A process has at most stopMax to leave by itself; then it is killed.
package process
