// Package accesslog takes finished log lines from the loops and writes them to
// syslog servers, sockets and descriptors.
//
// It does not decide what is logged, nor compose lines: that is proxy's work
// with a format of internal/expr. It never makes a loop wait.
//
// Each loop owns one ring towards the sink's writer goroutine; messages of other
// goroutines share one more ring under a lock. Targets belong to the writer.
//
// New opens a sink and starts its writer; Close writes what waits and ends it.
//
// A ring holds ringBytes; lines that find no room are dropped, counted, and
// told as soon as there is room again.
package accesslog
