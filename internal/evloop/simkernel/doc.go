// Package simkernel is a machine in memory for tests: sockets, pipes, epoll and a
// clock behind evloop.Kernel, and scripted clients and servers at the other ends.
//
// It makes no system calls and reads no real clock or random source: the same
// seed and calls give the same run. It models stream sockets (TCP and UNIX) as
// Linux does them, as far as a handler can see: edges of epoll, errors, FIN, RST,
// full buffers. It does not model segments, windows, urgent data, datagrams or
// socket options (those are recorded).
//
// A Kernel may be shared by several loops and goroutines; one lock guards all.
// Descriptors belong to whoever opened them; Ends and Servers to the script. Use
// of a closed descriptor panics, since in a real process it might by then be
// another connection.
//
// Time stands still until Advance or RunFor. What faults hold back arrives at one
// of the next Waits, so a script calls Settle to let everything come to rest.
//
// Socket buffers, pipes, backlogs and the number of descriptors are bounded by
// fields of Kernel; what a script sends waits at its end without bound.
package simkernel
