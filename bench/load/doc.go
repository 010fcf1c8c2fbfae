// Package load makes the benchmark's requests: it runs wrk and h2load, reads what
// they say, and has a generator of its own for what they can't do: a constant
// rate whose latency counts from when a request should have been sent, TCP,
// uploads, idle clients and slow readers.
//
// It does not decide what is measured when; what it counts is only one side of a
// report, the other is what the server and the kernel have counted.
//
// The generator is one goroutine on one locked thread, which owns all its
// connections, buffers and the histogram. A Spec and an Outcome belong to the
// caller.
//
// Life cycle: Command makes the arguments of the program for a Spec; when it has
// ended, Parse reads its output. The generator's program is this benchmark
// itself, which calls Run.
//
// A Spec has at most as many connections as a process may have descriptors;
// latencies above latencyMax count as that.
package load
