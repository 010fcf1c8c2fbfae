// Command demo starts a few small servers and weir in front of them, and
// prints what to open. It is what "make run" runs.
//
// The servers are for looking at, not for measuring: they use net/http, keep
// nothing and log nothing. weir runs as a program of its own, from the
// haproxy.cfg beside this file, not as a library.
//
// The servers' goroutines belong to net/http and to echo; weir is a child
// process. All of them end with this program.
//
// Life cycle: servers, ports, weir, wait until it answers, serve until SIGINT
// or SIGTERM comes or weir ends.
//
// Limits: /large answers at most largeMax bytes, /slow waits at most slowMax.
package main
