// Package balancer picks a server for each session and holds back those for which no slot is free.
//
// It knows the algorithms of the manual's "balance" keyword, slots ("maxconn"), queues, backups, weights, slow start
// and the states of servers. It does not know addresses, health checks, cookies or protocols: who asks says which
// server it is stuck to and which bytes to hash. It does no I/O, starts no goroutines and never reads the clock; time
// comes in as a distance from a start that the caller chooses.
//
// A Backend may be used by any number of goroutines at once. Its mutex is held only while a slot, a place in a queue
// or the position of a picker changes hands. A backend without limits whose algorithm needs no common order
// (roundrobin, static-rr, random, the hashes) does not take it at all. Counters are atomic. A waiter belongs to the
// session in which it is embedded from the moment that it was granted or left the queue.
//
// New makes a backend. Acquire gives a slot, or a place in a queue, or a refusal. A slot ends by Release, a place by
// the call of SlotGranted or by Leave. SetState, SetWeight, SetMaxConn and Tick change servers while all this goes on.
//
// Waiters are bounded by Spec.QueueMax for the backend with all its servers, and by ServerSpec.MaxQueue for one server.
// Servers are bounded by serversMax, weights by weightMax.
package balancer
