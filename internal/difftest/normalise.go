package difftest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// normalisations are the words of a case's "normalise:" header: what its
// result leaves out since HAProxy itself is free there.
var normalisations = map[string]bool{
	"ends":     true, // FIN or RST: depends on whether unread bytes were left
	"chunks":   true, // the borders of chunks: depend on the reads
	"counts":   true, // the connection counters of the log line
	"bytes":    true, // the byte count of the log line
	"logorder": true, // the order of log lines of different connections
}

var (
	syslogHead = regexp.MustCompile(`^(<\d+>)[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (\S+ )?(\S+?)\[\d+\]: `)
	rfc5424    = regexp.MustCompile(`^(<\d+>1) \S+ (\S+ \S+) \d+ `)
	date       = regexp.MustCompile(`\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(\.\d{3}| [+-]\d{4})\]`)
	timers     = regexp.MustCompile(`^(.*? \S+ \S+/\S+ )([+-]?\d+(?:/[+-]?\d+){2,4})( .*)$`)
	clfTimers  = regexp.MustCompile(`^(.*? "[^"]*" "[^"]*" )\d+ \d+( "\S+" "\S+" "\S+")((?: [+-]?\d+){5})( .*)$`)
	markedTime = regexp.MustCompile(`\b(T=)(\S+)`)
	counters   = regexp.MustCompile(` \d+/\d+/\d+/\d+/(\+?\d+) (\d+/\d+)`)
	byteCount  = regexp.MustCompile(`( \d{3}| n/n/n) \d+ (- -|--)`)
	digits     = regexp.MustCompile(`-?\d+`)
	portNumber = regexp.MustCompile(`\b\d{4,5}\b`)
	checkTime  = regexp.MustCompile(`check duration: \d+ms`)
)

// result collects what the run showed so far.
func (w *World) result(c *Case) Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	var r Result
	order := slices.Clone(w.endOrder)
	slices.SortStableFunc(order, compareEnds)
	for _, name := range order {
		switch name[0] {
		case 'c':
			r.set("client "+name, w.endTextLocked(c, w.ends[name]))
		case 's':
			r.set("server "+name, w.endTextLocked(c, w.ends[name]))
		}
	}
	var lines []string
	for _, line := range w.logs {
		lines = append(lines, w.logLine(c, line))
	}
	if c.Normalise["logorder"] {
		slices.Sort(lines)
	}
	if len(lines) > 0 {
		r.set("log", strings.Join(lines, "\n")+"\n")
	}
	return r
}

// compareEnds puts clients before servers, each in the order of their numbers.
func compareEnds(a, b string) int {
	if a[0] != b[0] {
		return int(a[0]) - int(b[0])
	}
	x, xConn := endNumber(a)
	y, yConn := endNumber(b)
	if x != y {
		return x - y
	}
	return xConn - yConn
}

func endNumber(name string) (number, connection int) {
	first, second, _ := strings.Cut(name[1:], ".")
	number, _ = strconv.Atoi(first)
	connection, _ = strconv.Atoi(second)
	return number, connection
}

func (w *World) endTextLocked(c *Case, e *end) string {
	got := e.got
	if c.Normalise["chunks"] {
		got = joinChunks(got)
	}
	got = w.namePorts(blankProxyV2(got, w.portNames))
	state := e.state.String()
	if c.Normalise["ends"] && e.state == endReset {
		state = endEOF.String()
	}
	return string(AppendText(nil, got)) + "[" + state + "]\n"
}

// namePorts replaces the port numbers of this run by the names of their ends.
func (w *World) namePorts(b []byte) []byte {
	return portNumber.ReplaceAllFunc(b, func(m []byte) []byte {
		port, _ := strconv.Atoi(string(m))
		if name, ok := w.portNames[port]; ok {
			return []byte("<" + name + ">")
		}
		return m
	})
}

// proxyV2 is the signature of a PROXY protocol version 2 header.
var proxyV2 = []byte("\r\n\r\n\x00\r\nQUIT\n")

const (
	proxyV2Fixed = 16   // bytes before the addresses
	proxyV2TCP4  = 0x11 // family and protocol of TCP over IPv4
	proxyV2Addrs = 12   // bytes of its addresses and ports
	proxyV2Ports = 24   // offset of its ports
	proxyV2CRC   = 3    // type of the TLV with a checksum
)

// blankProxyV2 writes zero over known ports of a binary PROXY header in front,
// and over its checksum when it is right.
func blankProxyV2(b []byte, known map[int]string) []byte {
	if !bytes.HasPrefix(b, proxyV2) || len(b) < proxyV2Ports+4 || b[13] != proxyV2TCP4 {
		return b
	}
	size := proxyV2Fixed + int(binary.BigEndian.Uint16(b[14:]))
	if len(b) < size || size < proxyV2Fixed+proxyV2Addrs {
		return b
	}
	b = slices.Clone(b)
	blankChecksum(b[:size])
	for at := proxyV2Ports; at < proxyV2Ports+4; at += 2 {
		if known[int(binary.BigEndian.Uint16(b[at:]))] != "" {
			b[at], b[at+1] = 0, 0
		}
	}
	return b
}

func blankChecksum(head []byte) {
	tlv := head[proxyV2Fixed+proxyV2Addrs:]
	for len(tlv) >= 3 {
		n := int(binary.BigEndian.Uint16(tlv[1:]))
		if len(tlv) < 3+n {
			return
		}
		if tlv[0] == proxyV2CRC && n == 4 {
			sum := binary.BigEndian.Uint32(tlv[3:])
			clear(tlv[3:7])
			if crc32.Checksum(head, crc32.MakeTable(crc32.Castagnoli)) != sum {
				binary.BigEndian.PutUint32(tlv[3:], sum)
			}
			return
		}
		tlv = tlv[3+n:]
	}
}

// joinChunks writes the data of a chunked body as one run of bytes, with the
// last chunk and the trailers as they came.
func joinChunks(b []byte) []byte {
	head, body, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok || !bytes.Contains(bytes.ToLower(head), []byte("transfer-encoding: chunked")) {
		return b
	}
	out := append(slices.Clone(head), "\r\n\r\n"...)
	for {
		line, rest, ok := bytes.Cut(body, []byte("\r\n"))
		size, err := strconv.ParseUint(string(line), 16, 31)
		if !ok || err != nil || size == 0 || uint64(len(rest)) < size+2 {
			return append(out, body...)
		}
		out = append(out, rest[:size]...)
		body = rest[size+2:]
	}
}

// logLine leaves out of a log line what differs from run to run.
func (w *World) logLine(c *Case, line string) string {
	raw := line
	line = strings.TrimRight(line, "\n")
	line = syslogHead.ReplaceAllString(line, "$1$2$3: ")
	line = rfc5424.ReplaceAllString(line, "$1 [DATE] $2 PID ")
	line = date.ReplaceAllString(line, "[DATE]")
	if m := timers.FindStringSubmatch(line); m != nil {
		line = m[1] + blankTimers(m[2]) + m[3]
	} else if m := clfTimers.FindStringSubmatch(line); m != nil {
		line = m[1] + "PORT MS" + m[2] + blankTimers(m[3]) + m[4]
	}
	line = cutRun(line, len(raw))
	line = markedTime.ReplaceAllStringFunc(line, blankTimers)
	line = checkTime.ReplaceAllString(line, "check duration: Nms")
	if c.Normalise["counts"] {
		line = counters.ReplaceAllString(line, " c/c/c/c/$1 $2")
	}
	if c.Normalise["bytes"] {
		line = byteCount.ReplaceAllString(line, "$1 BYTES $2")
	}
	return string(w.namePorts([]byte(line)))
}

// cutRun replaces a run of equal bytes that a line ends with: it was cut at
// its maximum, so the length of the run depends on ports and process ids.
func cutRun(line string, size int) string {
	if line == "" {
		return line
	}
	kept := strings.TrimRight(line, line[len(line)-1:])
	if len(line)-len(kept) < runMin {
		return line
	}
	return fmt.Sprintf("%s{%c*cut at %d}", kept, line[len(line)-1], size)
}

// blankTimers writes n for every time but -1, which says that it never came.
func blankTimers(s string) string {
	return digits.ReplaceAllStringFunc(s, func(m string) string {
		if m == "-1" {
			return m
		}
		return "n"
	})
}

// String names the end for messages.
func (e *end) String() string { return fmt.Sprintf("%s (%s, %d bytes)", e.name, e.state, len(e.got)) }
