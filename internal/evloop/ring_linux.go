package evloop

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// From linux/io_uring.h, which x/sys/unix does not have.
const (
	ringSubmitAll   = 1 << 7 // IORING_SETUP_SUBMIT_ALL: a failed call does not end the batch (Linux 5.18)
	ringCoopTaskrun = 1 << 8 // IORING_SETUP_COOP_TASKRUN: no interrupts of this thread (Linux 5.19)

	ringFeatureSingleMmap = 1 << 0  // IORING_FEAT_SINGLE_MMAP
	ringFeatureNoDrop     = 1 << 1  // IORING_FEAT_NODROP
	ringFeatureSkip       = 1 << 11 // IORING_FEAT_CQE_SKIP (Linux 5.17)

	ringOffsetEntries = 0x10000000 // IORING_OFF_SQES

	ringSend        = 26     // IORING_OP_SEND
	ringReceive     = 27     // IORING_OP_RECV
	ringSkipSuccess = 1 << 6 // IOSQE_CQE_SKIP_SUCCESS: only a failure is told
)

// A ring is an io_uring that is used as a list of system calls, which the kernel
// carries out one after the other for the price of entering it once. Every call
// is made with MSG_DONTWAIT, so all of them have ended when submit returns:
// nothing is ever in flight, and no memory is the kernel's between two submits.
// Any goroutine may use it, one at a time.
type ring struct {
	fd      int
	rings   []byte // mapped: heads, tails, results
	entries []byte // mapped: calls

	calls   []ringCall
	results []ringResult
	tail    uint32 // calls pushed
	taken   uint32 // calls that the kernel has taken

	// Shared with the kernel.
	callTail               *uint32
	resultHead, resultTail *uint32
}

// A ringCall is struct io_uring_sqe.
type ringCall struct {
	opcode uint8
	flags  uint8
	_      uint16
	fd     int32
	_      uint64
	addr   uint64
	len    uint32
	how    uint32 // msg_flags
	data   uint64
	_      [3]uint64
}

// A ringResult is struct io_uring_cqe.
type ringResult struct {
	data  uint64
	res   int32 // bytes, or a negative errno
	flags uint32
}

// ringParams is struct io_uring_params.
type ringParams struct {
	calls, results, flags, cpu, idle, features, workers uint32
	_                                                   [3]uint32
	call                                                struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	result struct {
		head, tail, mask, entries, overflow, results, flags, _ uint32
		_                                                      uint64
	}
}

// openRing makes a ring for a power of two of calls at once.
func openRing(calls uint32) (*ring, syscall.Errno) {
	p := ringParams{flags: ringSubmitAll | ringCoopTaskrun}
	fd, _, errno := syscall.RawSyscall(unix.SYS_IO_URING_SETUP, uintptr(calls), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, errno
	}
	r := &ring{fd: int(fd)}
	const needed = ringFeatureSingleMmap | ringFeatureNoDrop | ringFeatureSkip
	if p.features&needed != needed {
		r.close()
		return nil, syscall.ENOSYS
	}
	if errno := r.mapMemory(&p); errno != 0 {
		r.close()
		return nil, errno
	}
	return r, 0
}

func (r *ring) mapMemory(p *ringParams) syscall.Errno {
	size := max(p.call.array+4*p.calls, p.result.results+uint32(unsafe.Sizeof(ringResult{}))*p.results)
	var err error
	if r.rings, err = unix.Mmap(r.fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return errnoOf(err)
	}
	size = uint32(unsafe.Sizeof(ringCall{})) * p.calls
	if r.entries, err = unix.Mmap(r.fd, ringOffsetEntries, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return errnoOf(err)
	}
	r.calls = unsafe.Slice((*ringCall)(unsafe.Pointer(&r.entries[0])), p.calls)
	r.results = unsafe.Slice((*ringResult)(unsafe.Pointer(&r.rings[p.result.results])), p.results)
	r.callTail = r.word(p.call.tail)
	r.resultHead, r.resultTail = r.word(p.result.head), r.word(p.result.tail)
	for i := range p.calls { // the kernel looks calls up through an array; ours stand in order
		*r.word(p.call.array + 4*i) = i
	}
	return 0
}

func (r *ring) word(offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.rings[offset])) }

func errnoOf(err error) syscall.Errno {
	if errno, ok := err.(syscall.Errno); ok {
		return errno
	}
	return syscall.EINVAL
}

// pushSend adds a send whose failure or shortness, but not success, is told with
// data: MSG_WAITALL makes a short one a failure that tells the bytes that went.
// There must be room, and p must be mapped memory.
func (r *ring) pushSend(fd int, p []byte, data uint64) {
	r.push(ringCall{
		opcode: ringSend, flags: ringSkipSuccess, fd: int32(fd), data: data,
		how: unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL | unix.MSG_WAITALL,
	}, p)
}

// pushReceive adds a receive, whose result is told with data.
func (r *ring) pushReceive(fd int, p []byte, data uint64) {
	r.push(ringCall{opcode: ringReceive, fd: int32(fd), data: data, how: unix.MSG_DONTWAIT}, p)
}

func (r *ring) push(c ringCall, p []byte) {
	c.addr, c.len = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(p)))), uint32(len(p))
	r.calls[r.tail&uint32(len(r.calls)-1)] = c
	r.tail++
}

// submit has the kernel carry out what was pushed, and returns how many calls
// it took. The rest, for which it had no memory, are as if never pushed.
func (r *ring) submit() int {
	first := r.taken
	atomic.StoreUint32(r.callTail, r.tail)
	for r.taken != r.tail {
		n, _, errno := syscall.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(r.tail-r.taken), 0, 0, 0, 0)
		if errno == syscall.EINTR {
			continue
		}
		if errno != 0 || n == 0 {
			r.tail = r.taken
			atomic.StoreUint32(r.callTail, r.tail)
			break
		}
		r.taken += uint32(n)
	}
	return int(r.taken - first)
}

// next returns a result, nil when there are no more. It is valid until the next
// submit.
func (r *ring) next() *ringResult {
	head := *r.resultHead
	if head == atomic.LoadUint32(r.resultTail) {
		return nil
	}
	res := &r.results[head&uint32(len(r.results)-1)]
	atomic.StoreUint32(r.resultHead, head+1)
	return res
}

func (r *ring) close() {
	if r.rings != nil {
		unix.Munmap(r.rings)
	}
	if r.entries != nil {
		unix.Munmap(r.entries)
	}
	syscall.RawSyscall(unix.SYS_CLOSE, uintptr(r.fd), 0, 0)
}
