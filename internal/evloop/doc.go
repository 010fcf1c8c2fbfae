// Package evloop turns kernel events into calls of handlers: descriptors, timers
// and letters from other goroutines, one loop per core, run to completion.
//
// It knows no protocol, holds no buffers, starts no goroutines and opens no
// sockets on its own. It does not balance descriptors between loops.
//
// A Loop belongs to the one goroutine that calls Run (locked to its thread) or
// Turn. So do the FDs and Timers that were given to it: no locks. Only Post, Do,
// Stop, Stats, ID and Kernel().Now and Wake may be called from elsewhere. FD,
// Timer and Letter are embedded by value in what they belong to; the loop keeps
// pointers to them while they are open, set or under way.
//
// A Loop lives from New to Free. An FD lives from Open to Close, Reset or Detach
// and may then be opened again; events of its former life are recognised by the
// generation in their tag and dropped. A Timer is stopped before it is called. A
// Letter is free again before it is handed over.
//
// The number of descriptors is bounded by the process's limit. The mailbox needs
// no bound of its own, since a letter is in it at most once; Do is bounded by
// controlMax. Each turn handles at most Config.EventsMax events, then each
// descriptor that asked for more by Again once, for againTimeMax; the others come
// first in the next turn. Due tells handlers how many share the turn. Nothing is
// allocated in the steady state.
package evloop
