package server

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Counts is what the loops of a server have done since it started.
type Counts struct {
	Connections int64 `json:"connections"` // accepted
	Requests    int64 `json:"requests"`    // answered whole; round trips of an echo
	BytesIn     int64 `json:"bytes_in"`    // of bodies, or of a TCP stream
	BytesOut    int64 `json:"bytes_out"`
	Datagrams   int64 `json:"datagrams"`
}

// Sub is what happened since an earlier look.
func (c Counts) Sub(before Counts) Counts {
	return Counts{
		c.Connections - before.Connections, c.Requests - before.Requests,
		c.BytesIn - before.BytesIn, c.BytesOut - before.BytesOut, c.Datagrams - before.Datagrams,
	}
}

const loopsMax = 64

// counters of one loop, alone on their cache lines.
type counters struct {
	connections, requests, bytesIn, bytesOut, datagrams atomic.Int64

	_ [128 - 5*8]byte
}

// Counters is a file of counters, mapped into the server that writes them and
// into the benchmark that reads them.
type Counters struct {
	loops *[loopsMax]counters
}

// CreateCounters makes the file, all zero.
func CreateCounters(path string) (*Counters, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("can't create the counters: %w", err)
	}
	defer f.Close()
	if err := f.Truncate(int64(unsafe.Sizeof([loopsMax]counters{}))); err != nil {
		return nil, fmt.Errorf("can't size the counters: %w", err)
	}
	return mapCounters(f)
}

// OpenCounters maps the file that CreateCounters made.
func OpenCounters(path string) (*Counters, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("can't open the counters: %w", err)
	}
	defer f.Close()
	return mapCounters(f)
}

func mapCounters(f *os.File) (*Counters, error) {
	size := int(unsafe.Sizeof([loopsMax]counters{}))
	mem, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("can't map the counters: %w", err)
	}
	return &Counters{loops: (*[loopsMax]counters)(unsafe.Pointer(unsafe.SliceData(mem)))}, nil
}

// Read adds up all loops.
func (c *Counters) Read() (sum Counts) {
	for i := range c.loops {
		l := &c.loops[i]
		sum.Connections += l.connections.Load()
		sum.Requests += l.requests.Load()
		sum.BytesIn += l.bytesIn.Load()
		sum.BytesOut += l.bytesOut.Load()
		sum.Datagrams += l.datagrams.Load()
	}
	return sum
}
