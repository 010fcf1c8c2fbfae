// Package accesslog takes log lines from the loops and sends them to syslog
// servers, sockets and descriptors.
//
// It does not make the lines: formats are strings of package expr, and the
// predefined ones stand here. It never blocks a loop: a line that finds no room
// is dropped and counted, and a line tells how many when there is room again.
//
// A Sink has one ring of bytes for each loop, written by that loop alone, one
// more for messages from elsewhere, guarded by a lock, and one goroutine that
// reads them all and owns the targets. Waking it costs a loop nothing while it
// is awake.
//
// Life cycle: New, Line and Message for as long as it runs, Flush when lines must
// be out, Close once: it sends what is left and ends the goroutine.
//
// Limits: ringBytes of lines waiting per loop, 80 to 65535 bytes in a line
// (log ... len), writeWait for a target that takes nothing.
package accesslog
