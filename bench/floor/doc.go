// Package floor is the least that a proxy can do: a bare epoll relay without
// rules, limits, timeouts, counters or logs, in the fewest system calls that the
// traffic of the benchmark allows. What a real proxy costs above it is its own work.
//
// It is correct for that traffic and for no other: it trusts both sides, knows
// of HTTP only where messages end, and adds and removes no field but Connection.
// It must never face a network.
//
// A request and its answer of up to scratchBytes are four system calls and a
// share of epoll_wait: read, write, read, write. Server connections are kept and
// taken last in, first out. Bodies above spliceMin and long TCP flows are spliced.
//
// Each loop owns its thread, its connections and one buffer; nothing is shared.
//
// Life cycle: Open, then Run until the process ends.
//
// With Spec.ServerMax, at most so many connections stand to a server; further
// requests wait, oldest first.
package floor
