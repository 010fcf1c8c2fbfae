// Package socket holds the few system calls that the floor, the server and the
// load generator of the benchmark make.
//
// They go to the kernel without a word to Go's scheduler, but for the one that
// waits, so that what these programs cost is what the kernel's work costs. There
// is no buffering, no retry and no deadline.
//
// A Poller belongs to one goroutine, which has its thread for itself. Descriptors belong to the caller.
//
// Life cycle: Listen or Connect, Add to a Poller once, edge-triggered, then Wait
// until the program ends.
//
// At most eventsMax events come out of one Wait.
package socket
