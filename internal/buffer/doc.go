// Package buffer holds byte windows and the free lists they come from.
//
// It does no I/O, grows no buffer behind the caller's back and knows nothing of
// what the bytes mean.
//
// A Pool and its buffers belong to one loop; there are no locks. Who takes a
// buffer owns it until Put.
//
// A Buffer lives from Take to Put. Slices from Bytes and Free are valid until the
// next call that moves bytes (Append, Compact, Pool.Grow) or Put.
//
// A pool keeps at most the given number of unused buffers per size class; the
// rest go to the garbage collector. Nothing but TakeLarge gives buffers that are
// larger than the pool's size, and those are never kept.
package buffer
