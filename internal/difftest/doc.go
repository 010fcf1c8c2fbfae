// Package difftest runs HAProxy and weir side by side: the same configuration
// file, the same bytes from scripted clients, the same scripted servers. It
// compares what the clients got, what every server connection got and the
// access log, less times and ports.
//
// It does not judge who is right, and it measures nothing. A case under
// testdata/ holds its script and, below it, what HAProxy answered when the case
// was recorded, so that the files can be read as a reference as well.
// Intended differences stand in differences.txt, with a reason each.
//
// A World owns the sockets, goroutines and the proxy process of one run of one
// case; all of its state is guarded by World.mu. Cases share nothing, so they
// run in parallel.
//
// Life cycle: ParseCase once; then for each proxy Play, which opens the
// listeners, starts the process with them inherited (fd@N), plays the script,
// waits until nothing more is expected, stops the process and reports.
// UPDATE=1 records HAProxy's results, UPDATE=weir those of listed differences.
//
// Limits: every step waits at most stepTimeout; one connection keeps at most
// receivedMax bytes. Only IPv4 loopback addresses are used.
package difftest
