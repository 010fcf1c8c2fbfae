// Package listener opens the doors of the proxy: listening sockets of every
// form that a bind line can have, the socket options of both sides, and the
// PROXY protocol header that a connection may begin with.
//
// It accepts nothing, reads nothing from connections and starts no goroutines:
// the loops of package proxy do that. It resolves host names, but only in Open
// and ServerAddress.Resolve, which may block and belong to start and reload.
//
// A Socket belongs to the caller of Open. Several loops may accept on it at
// once; Close is for one goroutine, after the last loop stopped watching it.
// ParseProxy, AppendProxyV1 and AppendProxyV2 are pure: a ProxyInfo points into
// the bytes that it was parsed from until Clone. A Source may be shared by all
// loops.
//
// A socket lives from Open to Close. It is never bound twice: a descriptor that
// another process handed over (fd@N, OpenOptions.Inherited) is checked and used
// as it is, since closing one that was bound with SO_REUSEPORT resets what waits
// in its queue. A UNIX socket appears under its path in one step, in place of an
// older one, and its file goes with it unless a newer one took the place.
//
// Limits: one bind address opens at most 65536 sockets (a full port range), a
// PROXY header has at most ProxyHeaderMax bytes, version 1 at most 107.
package listener
