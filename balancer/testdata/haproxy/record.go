//go:build ignore

// Record asks a HAProxy binary where it sends sessions, and writes the answers to the files beside it:
//
//	go run record.go [-haproxy /usr/sbin/haproxy]
//
// Each line of hash.txt, turns.txt, loads.txt and share.txt is one case: tab-separated parts that the tests in
// ../../haproxy_test.go read. Servers are tiny TCP servers in this program; clients come over a UNIX socket with a PROXY header
// where their address matters.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

const settle = 5 * time.Millisecond // until HAProxy has seen a client close

func main() {
	binary := flag.String("haproxy", "/usr/sbin/haproxy", "the binary to ask")
	flag.Parse()
	log.SetFlags(0)
	version, err := exec.Command(*binary, "-v").Output()
	check(err)
	r := &recorder{binary: *binary, header: "# " + strings.SplitN(string(version), "\n", 2)[0] + ", by record.go\n"}
	r.hashes()
	r.turns()
	r.loads()
	r.shares()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

type recorder struct {
	binary string
	header string
}

// lab is one running HAProxy with its servers.
type lab struct {
	dir, socket string
	process     *exec.Cmd
	listeners   []net.Listener
}

type setup struct {
	Mode, Socket, BindOptions string
	Balance, Servers          []string
}

func (r *recorder) start(s setup, options []string) *lab {
	dir, err := os.MkdirTemp("", "record")
	check(err)
	l := &lab{dir: dir, socket: filepath.Join(dir, "f.sock")}
	s.Socket = l.socket
	for i, o := range options {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		check(err)
		l.listeners = append(l.listeners, ln)
		go serve(ln, i+1)
		s.Servers = append(s.Servers, fmt.Sprintf("server s%d %s %s", i+1, ln.Addr(), o))
	}
	t := template.Must(template.ParseFiles("record.cfg"))
	cfg, err := os.Create(filepath.Join(dir, "h.cfg"))
	check(err)
	check(t.Execute(cfg, s))
	check(cfg.Close())
	l.process = exec.Command(r.binary, "-db", "-f", cfg.Name())
	check(l.process.Start())
	for { // a test connection would be a session, and move the turns
		if _, err := os.Stat(l.socket); err == nil {
			time.Sleep(4 * settle)
			return l
		}
		time.Sleep(settle)
	}
}

func (l *lab) stop() {
	l.process.Process.Kill()
	l.process.Wait()
	for _, ln := range l.listeners {
		ln.Close()
	}
	os.RemoveAll(l.dir)
}

// serve answers every request of every connection with the server's number.
func serve(ln net.Listener, number int) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			in := bufio.NewReader(c)
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == "\r\n" {
					fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer-Number: %d\r\n\r\n", number)
				}
			}
		}()
	}
}

// client is one connection to HAProxy.
type client struct {
	net.Conn
	in *bufio.Reader
}

func (l *lab) dial(source string) *client {
	c, err := net.Dial("unix", l.socket)
	check(err)
	if source != "" {
		family, local := "TCP4", "127.0.0.1"
		if netip.MustParseAddr(source).Is6() {
			family, local = "TCP6", "::1"
		}
		fmt.Fprintf(c, "PROXY %s %s %s 1000 80\r\n", family, source, local)
	}
	return &client{c, bufio.NewReader(c)}
}

// ask sends one request and gives the number of the server that answered.
func (c *client) ask(fields string) int {
	_, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n"+fields+"\r\n")
	check(err)
	number := 0
	for {
		line, err := c.in.ReadString('\n')
		check(err)
		if line == "\r\n" {
			return number
		}
		fmt.Sscanf(strings.ToLower(line), "server-number: %d", &number)
	}
}

func (r *recorder) write(name string, lines []string) {
	check(os.WriteFile(name, []byte(r.header+strings.Join(lines, "\n")+"\n"), 0o644))
	log.Print(name, ": ", len(lines), " cases")
}

// hashes: keys are those of hashKey and hashAddress in haproxy_test.go.
func (r *recorder) hashes() {
	const keys = 1000
	options := []string{"weight 1", "weight 3 id 7", "weight 2", "weight 1 id 40", "weight 5"}
	var lines []string
	for _, method := range []string{"map-based", "consistent"} {
		for _, function := range []string{"", "sdbm", "djb2", "crc32", "sdbm avalanche", "djb2 avalanche", "crc32 avalanche"} {
			hashType := strings.TrimSpace("hash-type " + method + " " + function)
			l := r.start(setup{Mode: "http", Balance: []string{"balance hdr(k)", hashType}}, options)
			c := l.dial("")
			var got strings.Builder
			for i := range keys {
				fmt.Fprint(&got, c.ask(fmt.Sprintf("k: user-%d/%x\r\n", i, uint32(i*i)*2654435761)))
			}
			l.stop()
			lines = append(lines, "hdr\t"+hashType+"\t"+got.String())

			l = r.start(setup{Mode: "http", BindOptions: "accept-proxy", Balance: []string{"balance source", hashType}}, options)
			got.Reset()
			for i := range keys {
				c := l.dial(address(i))
				fmt.Fprint(&got, c.ask("Connection: close\r\n"))
				c.Close()
			}
			l.stop()
			lines = append(lines, "source\t"+hashType+"\t"+got.String())
		}
	}
	r.write("hash.txt", lines)
}

func address(i int) string {
	x := uint32(i+1) * 2654435761 >> 1
	if i%4 == 3 {
		return fmt.Sprintf("2001:db8:%x:%x::%x", x>>16, x&0xffff, i&0xffff)
	}
	return fmt.Sprintf("%d.%d.%d.%d", x>>24+1, x>>16&255, x>>8&255, x&255)
}

func (r *recorder) turns() {
	rng := rand.New(rand.NewPCG(1, 2))
	cases := [][]int{{1, 1, 1}, {1, 2}, {2, 1}, {1, 2, 3}, {3, 2, 1}, {5, 1, 1}, {3, 3, 2}, {10, 10, 5, 1}, {1, 1, 1, 7}, {28, 5}, {256, 1}}
	for range 25 {
		most := []int{3, 12, 100}[rng.IntN(3)]
		var weights []int
		for range 2 + rng.IntN(8) {
			weights = append(weights, 1+rng.IntN(most))
		}
		cases = append(cases, weights)
	}
	var lines []string
	for _, algorithm := range []string{"roundrobin", "static-rr", "hdr(none)"} {
		for _, weights := range cases {
			total := 0
			for _, w := range weights {
				total += w
			}
			l := r.start(setup{Mode: "http", Balance: []string{"balance " + algorithm}}, weigh(weights))
			c := l.dial("")
			var got strings.Builder
			for range 3 * total {
				fmt.Fprint(&got, c.ask(""))
			}
			l.stop()
			lines = append(lines, algorithm+"\t"+join(weights)+"\t"+got.String())
		}
	}
	r.write("turns.txt", lines)
}

func weigh(weights []int) (options []string) {
	for _, w := range weights {
		options = append(options, fmt.Sprintf("weight %d", w))
	}
	return options
}

func join(numbers []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ","), "[]")
}

// sessions opens and closes TCP sessions at random. Each is noted as the number of its server; a closing one as -number.
func (r *recorder) sessions(l *lab, rng *rand.Rand, source func() string) string {
	type open struct {
		*client
		server int
	}
	var live []open
	var notes []string
	for range 200 {
		if len(live) > 0 && rng.IntN(3) == 0 {
			k := rng.IntN(len(live))
			live[k].Close()
			time.Sleep(settle)
			notes = append(notes, fmt.Sprint(-live[k].server))
			live = append(live[:k], live[k+1:]...)
			continue
		}
		from := source()
		c := l.dial(from)
		server := c.ask("")
		live = append(live, open{c, server})
		note := fmt.Sprint(server)
		if from != "" {
			note = from + "=" + note
		}
		notes = append(notes, note)
	}
	for _, c := range live {
		c.Close()
	}
	return strings.Join(notes, " ")
}

func (r *recorder) loads() {
	rng := rand.New(rand.NewPCG(3, 4))
	var lines []string
	for k := range 20 {
		most := []int{1, 3, 12, 100}[k%4]
		var weights []int
		for range 2 + rng.IntN(5) {
			weights = append(weights, 1+rng.IntN(most))
		}
		l := r.start(setup{Mode: "tcp", Balance: []string{"balance leastconn"}}, weigh(weights))
		lines = append(lines, join(weights)+"\t"+r.sessions(l, rng, func() string { return "" }))
		l.stop()
	}
	r.write("loads.txt", lines)
}

func (r *recorder) shares() {
	rng := rand.New(rand.NewPCG(5, 6))
	var lines []string
	for _, factor := range []int{101, 110, 125, 150, 200, 300} {
		for range 2 {
			var weights []int
			for range 2 + rng.IntN(5) {
				weights = append(weights, []int{1, 1, 2, 5}[rng.IntN(4)])
			}
			balance := []string{"balance source", "hash-type consistent", fmt.Sprintf("hash-balance-factor %d", factor)}
			l := r.start(setup{Mode: "tcp", BindOptions: "accept-proxy", Balance: balance}, weigh(weights))
			lines = append(lines, fmt.Sprintf("%d\t%s\t", factor, join(weights))+r.sessions(l, rng, func() string {
				return address(rng.IntN(1 << 20))
			}))
			l.stop()
		}
	}
	r.write("share.txt", lines)
}
