// Package proxy runs a Config: it accepts clients, applies rules, chooses
// servers, relays TCP and HTTP/1, and logs. It is the public API: Config is
// plain data, New compiles it and opens its binds, Run serves, Shutdown drains.
//
// It does not read haproxy.cfg (package config does), choose servers by itself
// (balancer), or judge their health (health). It knows no signals and no
// process: that is the command's.
//
// One worker per loop owns its connections, exchanges, idle server connections,
// timers and buffers; nothing of that is locked. A plan is immutable and swapped
// by one atomic store. Live objects of the registry (slots, queues, counters,
// idle pools) belong to backends and servers, not to a plan: counters have one
// writer each, slots and queues are the balancer's.
//
// A connection is accepted into a session (tcpSession, h1Client), which takes an
// exchange for each request; a hunt gets it a slot and a connection. Each ends
// through one function, which gives everything back and writes the line.
//
// Every list, buffer, queue, turn and retry has a named bound: see worker.go,
// Tune and Timeouts.
package proxy
