// Command bench is the reference benchmark: it runs weir, HAProxy, nginx, Caddy and
// a bare relay (the floor) under the same loads, in turn, and writes a report.
//
// It knows no scenario and no contender by name; those are tables in its
// packages. It never runs by itself as part of the tests.
//
// The same program is also the server behind the proxies, the load generator and
// the floor, each in a process of its own: "bench server", "bench load", "bench
// floor", with a file that says what to do. The first process owns all others.
//
// Life cycle: flags, then rounds.Bench.Run for each scenario, then report.Write;
// SIGINT and SIGTERM end it early, with a report of what there is until then.
//
// How long it takes is at most scenarios times contenders times rounds times
// seconds, and what waiting and checking add; bench/README.md has the method.
package main
