package evloop

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bounds of what a batch holds.
const (
	batchEventsMin   = 3       // a turn of fewer makes its calls at once: others can work meanwhile
	batchSendsMax    = 64      // writes that wait for the end of the turn
	batchSendMax     = 4 << 10 // bytes of one of them; longer writes are made at once
	batchReceivesMax = 64      // sockets read by one system call
	batchEventsMax   = 64      // events of one turn: more would push each other out of the cache
	receivedMax      = 256     // sockets whose bytes were read ahead and not asked for yet
	receivedSize     = 2 << 10 // bytes of one of them
	remaindersMax    = 256     // sockets that took less than a batch had for them
	lingeringMax     = 256     // of those, the closed ones
	lingerTime       = 60 * time.Second
	watchedChunkBits = 10
	watchedChunk     = 1 << watchedChunkBits
)

// A batch is the system with fewer system calls for each small message: epoll
// tells what is ready as ever, but what several sockets have received is read by
// one call for all of them, before the events are handed out, and short writes
// wait until the end of the turn and are then made by one call. A ring carries
// these calls out. No call is under way when Wait returns, so that every other
// method may use the descriptors as if there were no ring.
//
// What has been read ahead is found by the next Read, Peek or Splice. A write
// that waits counts as done. If the socket takes only a part of it, the batch
// keeps the rest, lets nobody write before it and sends it when there is room,
// though the socket be closed by then; if it fails, ReadyErr is reported and the
// next call on the socket gives the error.
type batch struct {
	system
	ring   *ring // nil: there is none, every call is made at once
	epfd   int
	memory []byte // mapped: what is sent, then what is received
	events []unix.EpollEvent
	chunks []*[watchedChunk]watched // by descriptor

	waits bool // this turn's short writes wait

	// Sending: batch_send_linux.go.
	sends      []pendingSend
	sendBytes  int    // of memory, taken by sends
	sendsTurn  uint32 // moves on at each flush
	remainders []remainder
	freeRest   []uint16 // of remainders
	failed     []int    // descriptors whose write failed, to be told
	ending     []int    // descriptors to be shut down or closed after the flush
	lingering  []lingering

	// Receiving: batch_receive_linux.go.
	receives     []pendingReceive
	freeReceived []uint16
	received     [receivedMax]receivedBytes
}

// A watched is what the batch knows about a descriptor between EpollAdd and
// Close. The zero value is any other descriptor.
type watched struct {
	tag       uint64
	sendsTurn uint32 // equal to batch.sendsTurn: it has a send that waits
	received  uint16 // 1 + index in batch.received; 0: none
	rest      uint16 // 1 + index in batch.remainders; 0: none
	errno     uint16 // taken from the socket by a batched call, not told yet
	flags     uint8
}

const (
	watchedStream uint8 = 1 << iota // calls on it may be batched
	watchedReader                   // whoever reads it takes all that is there, at once
	watchedMore                     // the socket has bytes behind those that were read ahead
	watchedClosed                   // Close was called; there are bytes to send
	watchedFIN                      // Shutdown was called; there are bytes to send
	watchedFailed                   // stands in batch.failed
	watchedOver                     // the other side has sent FIN or RST: no call on it waits any more
)

// Fastest returns the kernel that costs least here: System, or with a ring that
// saves system calls if the system grants one (see RingError).
func Fastest() Kernel {
	if RingError() != nil {
		return System()
	}
	return &batch{}
}

func (b *batch) EpollCreate() (int, syscall.Errno) {
	epfd, errno := b.system.EpollCreate()
	if errno != 0 {
		return epfd, errno
	}
	b.epfd = epfd
	b.sendsTurn = 1
	ring, errno := openRing(batchSendsMax)
	if errno != 0 {
		return epfd, 0
	}
	memory, err := unix.Mmap(-1, 0, batchSendsMax*batchSendMax+receivedMax*receivedSize,
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		ring.close()
		return epfd, 0
	}
	b.ring, b.memory = ring, memory
	b.sends = make([]pendingSend, 0, batchSendsMax)
	b.receives = make([]pendingReceive, 0, batchReceivesMax)
	for i := receivedMax; i > 0; i-- {
		b.freeReceived = append(b.freeReceived, uint16(i))
	}
	return epfd, 0
}

// EpollAdd has the descriptor itself come back in the events, to find what is
// known about it; the tag is there.
func (b *batch) EpollAdd(epfd, fd int, tag uint64, listening bool) syscall.Errno {
	if errno := b.system.EpollAdd(epfd, fd, uint64(fd), listening); errno != 0 {
		return errno
	}
	w := b.watch(fd)
	b.forget(w) // who closed the number's last file did not tell us
	w.tag = tag
	if b.ring != nil && !listening && uint32(tag) != slotNone {
		w.flags = watchedStream
	}
	return 0
}

// watch makes room for fd in the table, which never moves.
func (b *batch) watch(fd int) *watched {
	for fd>>watchedChunkBits >= len(b.chunks) {
		b.chunks = append(b.chunks, nil)
	}
	chunk := &b.chunks[fd>>watchedChunkBits]
	if *chunk == nil {
		*chunk = new([watchedChunk]watched)
	}
	return &(*chunk)[fd&(watchedChunk-1)]
}

// stream is what is known about fd, nil unless calls on it may be batched.
func (b *batch) stream(fd int) *watched {
	if uint(fd>>watchedChunkBits) >= uint(len(b.chunks)) {
		return nil
	}
	chunk := b.chunks[fd>>watchedChunkBits]
	if chunk == nil {
		return nil
	}
	w := &chunk[fd&(watchedChunk-1)]
	if w.flags&watchedStream == 0 {
		return nil
	}
	return w
}

func (b *batch) Wait(epfd int, events []Event, timeout time.Duration) (int, syscall.Errno) {
	b.flush()
	told := b.tellFailed(events)
	if told > 0 {
		timeout = 0
	}
	n, errno := b.poll(epfd, min(len(events)-told, batchEventsMax), b.untilLinger(timeout))
	if errno != 0 {
		return told, errno
	}
	b.waits = told+n >= batchEventsMin
	for i := range b.events[:n] {
		ev := &b.events[i]
		fd := int(ev.Fd)
		w := b.watch(fd)
		tag, r := w.tag, readyOf(ev.Events)
		if r&(ReadyHup|ReadyErr) != 0 {
			w.flags |= watchedOver
		}
		if w.rest != 0 && r&(ReadyOut|ReadyErr) != 0 {
			r = b.roomAgain(fd, w, r)
		}
		if r&ReadyIn != 0 && w.flags&watchedStream != 0 {
			b.mayReceive(fd, w, told+i)
		}
		events[told+i] = Event{Tag: tag, Ready: r}
	}
	b.receive(events)
	return told + n, 0
}

// poll waits for events of at most n descriptors.
func (b *batch) poll(epfd, n int, timeout time.Duration) (int, syscall.Errno) {
	if n <= 0 {
		return 0, 0
	}
	if b.events == nil {
		b.events = make([]unix.EpollEvent, batchEventsMax)
	}
	var got uintptr
	var errno syscall.Errno
	if timeout == 0 {
		got, _, errno = syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd),
			uintptr(unsafe.Pointer(&b.events[0])), uintptr(n), 0, 0, 0)
	} else {
		got, _, errno = syscall.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd),
			uintptr(unsafe.Pointer(&b.events[0])), uintptr(n), uintptr(milliseconds(timeout)), 0, 0)
	}
	if errno != 0 {
		return 0, errno
	}
	return int(got), 0
}
