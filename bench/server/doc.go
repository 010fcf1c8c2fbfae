// Package server is what stands behind the proxy in the benchmark: an HTTP/1.1
// server, an echo, a stream of bytes, and a sink for log datagrams, in as few
// system calls as they need, so that the load side is not the bottleneck.
//
// It checks no request and knows no configuration but its Spec. It says nothing
// and logs nothing; what it has done stands in a file of counters that the
// benchmark maps (Counters).
//
// Each loop has its own thread, poller and listening sockets; only the
// counters are looked at by others, and those are atomic.
//
// Life cycle: Open, then Run until the process ends.
//
// Limits: a request head may have headMax bytes; bodies are read and thrown away.
package server
