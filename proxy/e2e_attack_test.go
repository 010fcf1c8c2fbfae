package proxy

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// An attack is what hostile clients do in a process of their own, each again
// and again, until that process is killed.
type attack struct {
	name    string
	door    int // which bind
	clients int
	moves   bool // it goes on doing something while it lasts
	// life is one connection's, up to where another one is needed.
	life func(a *attacker, conn *net.TCPConn)
}

// grows is how many bytes an attack may have the Proxy grow by: crypto/tls makes
// garbage of each handshake.
func (a *attack) grows() int {
	if a.door == tlsDoor {
		return 2 * floodMemoryMax
	}
	return floodMemoryMax
}

const (
	crowd = 500 // clients that hold what they have got
	few   = 16  // clients that work as fast as they can

	tricklePause = 50 * time.Millisecond // between two bytes of one client
	burstBytes   = 32 << 10              // written at once by who floods
)

const (
	getHostile = "GET /hostile HTTP/1.1\r\nhost: x\r\n\r\n"
	getOwn     = "GET /own HTTP/1.1\r\nhost: x\r\n\r\n"
	getRoot    = "GET / HTTP/1.1\r\nhost: x\r\n\r\n"
	startHead  = "GET / HTTP/1.1\r\nhost: x\r\n"
	startPost  = "POST / HTTP/1.1\r\nhost: x\r\n"
	longPost   = startPost + "content-length: 1000000\r\n\r\n"
	startV2    = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x0f\x00" // 3,840 bytes are to follow
)

// attacks, by what they do at the most.
func attacks() []attack {
	const largest = 15_000 // bytes of a head that is just not too large
	filler := strings.Repeat("b", largest)
	slow := []attack{
		{"silent clients", plainDoor, crowd, false, holds("")},
		{"slow heads", plainDoor, crowd, true, trickles(startHead+"x-slow: ", "b")},
		{"slow bodies", plainDoor, crowd, true, trickles(longPost, "b")},
		{"slow chunks", plainDoor, crowd, true, trickles(startPost+"transfer-encoding: chunked\r\n\r\n", "1\r\nb\r\n")},
		{"slow buffered bodies", bufferingDoor, crowd, true, trickles(longPost, "b")},
		{"slow readers", plainDoor, crowd, false, holds(strings.Replace(getRoot, "/", "/big", 1))},
		{"silent relays", relayDoor, crowd, false, holds("")},
		{"PROXY headers that stall", proxyDoor, crowd, true, trickles("PROXY TCP4 192.0.2.1", "")},
		{"PROXY headers that trickle", proxyDoor, crowd, true, trickles(startV2, "b")},
		{"heads that do not end", plainDoor, crowd, false, holds(startHead + "x-large: " + filler)},
		{"bodies that do not end, buffered", bufferingDoor, crowd, false, holds(longPost + filler)},
		{"trailers that do not end", plainDoor, crowd, false, holds(postChunked + "0\r\nx-large: " + filler)},
	}
	return slices.Concat(slow, fastAttacks(filler), h2Attacks(filler), tlsAttacks())
}

// fastAttacks are those of few clients who work as fast as they can.
func fastAttacks(filler string) []attack {
	fields := strings.Repeat("x-field: bbbbbbbb\r\n", 98)
	extensions := strings.Repeat("1;"+filler[:400]+"\r\nb\r\n", burstBytes/400)
	return []attack{
		{"connections", plainDoor, few, true, repeats("")},
		{"connections to relays", relayDoor, few, true, repeats("")},
		{"resets in the head", plainDoor, few, true, repeats(startHead)},
		{"resets of requests", plainDoor, few, true, repeats(getRoot)},
		{"resets of relays", relayDoor, few, true, repeats(getRoot)},
		{"tiny requests", plainDoor, few, true, asks(getRoot, len(getRoot))},
		{"requests byte by byte", plainDoor, few, true, asks(getOwn, 1)},
		{"pipelined requests", plainDoor, few, true, floods("", getRoot, true)},
		{"pipelined requests for answers of our own", plainDoor, few, true, floods("", getOwn, true)},
		{"pipelined requests whose answers nobody reads", plainDoor, crowd, false, floods("", getOwn, false)},
		{"large heads", plainDoor, few, true, asks(startHead+"x-large: "+filler+"\r\n\r\n", burstBytes)},
		{"heads of many fields", plainDoor, few, true, asks(startHead+fields+"\r\n", burstBytes)},
		{"heads of too many fields", plainDoor, few, true, floods(startHead, fields, true)},
		{"chunk extensions", plainDoor, few, true, floods(postChunked, extensions, true)},
		{"tiny chunks", plainDoor, few, true, floods(postChunked, strings.Repeat("1\r\nb\r\n", burstBytes/6), true)},
		{"trailers", plainDoor, few, true, floods(postChunked+"0\r\n", fields, true)},
		{"wrong PROXY headers", proxyDoor, few, true, floods("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", "", true)},
		{"servers that answer for ever", plainDoor, few, true, floods(getHostile, "", true)},
		{"servers whose answers nobody reads", plainDoor, crowd, false, holds(getHostile)},
	}
}

// An attacker is one client of an attack.
type attacker struct {
	steps *atomic.Int64
	place func() // it has come to where it holds, or has done its worst once
}

func (a *attacker) step() {
	a.steps.Add(1)
	a.place()
}

// holds says something and then nothing more; it does not read either.
func holds(text string) func(*attacker, *net.TCPConn) {
	return func(a *attacker, conn *net.TCPConn) {
		io.WriteString(conn, text)
		a.step()
		select {} // the process is killed
	}
}

// trickles says something and then little, again and again. Without more, its
// end is what it waits for.
func trickles(text, more string) func(*attacker, *net.TCPConn) {
	return func(a *attacker, conn *net.TCPConn) {
		pause := time.NewTicker(tricklePause)
		defer pause.Stop()
		_, err := io.WriteString(conn, text)
		for err == nil {
			a.step()
			<-pause.C
			_, err = io.WriteString(conn, more)
		}
	}
}

// repeats says something on each of many connections, and resets them.
func repeats(text string) func(*attacker, *net.TCPConn) {
	return func(a *attacker, conn *net.TCPConn) {
		io.WriteString(conn, text)
		a.step()
	}
}

// asks has requests answered, each written in pieces of that size.
func asks(request string, piece int) func(*attacker, *net.TCPConn) {
	return func(a *attacker, conn *net.TCPConn) {
		b := make([]byte, 1<<10)
		for {
			for rest := request; rest != ""; rest = rest[min(piece, len(rest)):] {
				if _, err := io.WriteString(conn, rest[:min(piece, len(rest))]); err != nil {
					return
				}
			}
			if _, err := conn.Read(b); err != nil { // an answer is shorter than that
				return
			}
			a.step()
		}
	}
}

// floods says first and then more, as fast as it is taken, and reads or does
// not read what comes; without more it only reads.
func floods(first, more string, reads bool) func(*attacker, *net.TCPConn) {
	burst := strings.Repeat(more, max(burstBytes/max(len(more), 1), 1))
	return func(a *attacker, conn *net.TCPConn) {
		ended := make(chan struct{})
		if reads {
			go func() {
				defer close(ended)
				for b := make([]byte, burstBytes); ; {
					if _, err := conn.Read(b); err != nil {
						return
					}
					a.step()
				}
			}()
		}
		_, err := io.WriteString(conn, first)
		for err == nil && more != "" {
			a.step()
			_, err = io.WriteString(conn, burst)
		}
		if reads {
			<-ended
		}
		a.step()
	}
}

// attackReport is what attackers say of themselves.
type attackReport struct {
	Steps int64
	CPU   time.Duration
	Err   string // what kept them from attacking
}

// childAttack says the address of a hostile server, is told the attack and the
// proxy's addresses, says when all its clients are in place, and a report for
// each line of input.
func childAttack() error {
	hostile, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go serveHostile(hostile)
	fmt.Println(hostile.Addr())
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	which, addrs, _ := strings.Cut(in.Text(), ":")
	var out attackReport
	var steps atomic.Int64
	var failed atomic.Pointer[error]
	for _, a := range attacks() {
		if a.name == which {
			a.start(strings.Fields(addrs)[a.door], &steps, &failed)
		}
	}
	fmt.Println("in place")
	for in.Scan() {
		out.Steps, out.CPU = steps.Load(), cpuOfProcess()
		if err := failed.Load(); err != nil {
			out.Err = (*err).Error()
		}
		if err = json.NewEncoder(os.Stdout).Encode(out); err != nil {
			return err
		}
	}
	return nil
}

// start returns when all clients are in place.
func (a *attack) start(addr string, steps *atomic.Int64, failed *atomic.Pointer[error]) {
	var placed sync.WaitGroup
	placed.Add(a.clients)
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		if a.clients == few {
			return nil
		}
		return c.Control(smallBuffers)
	}}
	for range a.clients {
		var once sync.Once
		client := attacker{steps: steps, place: func() { once.Do(placed.Done) }}
		go func() {
			for {
				conn, err := dialer.Dial("tcp", addr)
				if err != nil {
					failed.Store(&err)
					client.place()
					return
				}
				a.life(&client, conn.(*net.TCPConn))
				conn.(*net.TCPConn).SetLinger(0) // no TIME_WAIT: ports would run out
				conn.Close()
			}
		}()
	}
	placed.Wait()
}

// serveHostile never comes to a final answer, as fast as it is read.
func serveHostile(l net.Listener) {
	interim := strings.Repeat("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", burstBytes/42)
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			for err == nil {
				_, err = io.WriteString(conn, interim)
			}
		}()
	}
}

// smallBuffers keeps what the kernel holds for a crowd low: that is the kernel's
// to bound.
func smallBuffers(fd uintptr) {
	syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, burstBytes)
	syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, burstBytes)
}

func cpuOfProcess() time.Duration {
	var use syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &use)
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
