// Command weir is a load balancer that takes HAProxy's place: the same flags,
// the same haproxy.cfg, the same signals and exit codes.
//
// It only turns the key: it reads the command line, has config read the files,
// gives the result to proxy, and looks after what belongs to a process:
// descriptors, user and group, pid file, background, signals. It has no
// traffic of its own and uses nothing that an embedding program could not.
//
// One goroutine, main's, owns all of that; proxy owns the loops. With -D the
// program starts itself once more, detached, and the first process ends when
// the second one is ready (daemon.go). -W needs no second process
// (docs/decisions/0011-one-process.md).
//
// Life cycle: command line, configuration, sockets, pid file, privileges away,
// ready, serving until a signal says otherwise (start.go, in that order).
//
// Limits: client connections and descriptors are bounded at the start by what
// the system grants (limits.go); a line says how they were computed.
package main
