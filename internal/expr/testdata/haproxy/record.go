// Command record asks the HAProxy binary what expressions, conditions and log
// formats give, and writes the answers into exprs.txt, conds.txt and logs.txt
// beside it. See README.md. It listens on 127.0.0.1 only.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const chunk = 40 // rows asked with one run

func main() {
	record("exprs.txt", askExprs)
	record("conds.txt", askConds)
	record("logs.txt", askLogs)
}

// row is one line of a file: what is asked, a tab, the answer.
type row struct{ ask, answer string }

// record rewrites a file. Lines beginning with "request " set the request of the
// rows that follow; empty lines and those beginning with a sharp stay.
func record(name string, ask func(request string, rows []*row)) {
	text, err := os.ReadFile(name)
	must(err)
	var out []any
	var block []*row
	request := ""
	flush := func() {
		for len(block) > 0 {
			n := min(chunk, len(block))
			ask(request, block[:n])
			block = block[n:]
		}
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "request "):
			flush()
			request, err = strconv.Unquote(strings.TrimPrefix(line, "request "))
			must(err)
			out = append(out, line)
		case line == "" || line[0] == '#':
			out = append(out, line)
		default:
			r := &row{ask: strings.Split(line, "\t")[0]}
			block, out = append(block, r), append(out, r)
		}
	}
	flush()
	var b bytes.Buffer
	for _, o := range out {
		if r, ok := o.(*row); ok {
			fmt.Fprintf(&b, "%s\t%s\n", r.ask, r.answer)
		} else {
			fmt.Fprintln(&b, o)
		}
	}
	must(os.WriteFile(name, b.Bytes(), 0o644))
	fmt.Println(name, "recorded")
}

const base = `
global
  log @LOG@ len 8192 format raw local0
defaults
  mode http
  log global
  timeout client 2s
  timeout server 2s
  timeout connect 1s
`

// accepted runs haproxy -c and marks rows that are refused.
func accepted(rows []*row, config func(r *row) string) []*row {
	var good []*row
	for _, r := range rows {
		name := write(strings.NewReplacer("@LOG@", "127.0.0.1:1", "@PORT@", "1", "@SRV@", "127.0.0.1:2").Replace(config(r)))
		if exec.Command("haproxy", "-c", "-f", name).Run() != nil {
			r.answer = "error"
		} else {
			good = append(good, r)
		}
		os.Remove(name)
	}
	return good
}

func askExprs(request string, rows []*row) {
	rule := func(i int, r *row) string {
		return fmt.Sprintf("  http-request set-header x-t%d %s\n", i, quote("<%["+r.ask+"]>"))
	}
	frame := func(rules string) string {
		return base + "frontend f\n  bind 127.0.0.1:@PORT@\n  capture request header user-agent len 20\n" + rules +
			"  default_backend b\nbackend b\n  server s1 @SRV@\n"
	}
	good := accepted(rows, func(r *row) string { return frame(rule(0, r)) })
	var ask func(rows []*row)
	ask = func(rows []*row) {
		var rules strings.Builder
		for i, r := range rows {
			rules.WriteString(rule(i, r))
		}
		seen, _ := run(frame(rules.String()), request)
		if seen == "" && len(rows) > 1 {
			// One of them made HAProxy refuse the request.
			ask(rows[:len(rows)/2])
			ask(rows[len(rows)/2:])
			return
		}
		for i, r := range rows {
			r.answer = strconv.Quote(header(seen, fmt.Sprintf("x-t%d", i)))
		}
	}
	ask(good)
}

func askConds(request string, rows []*row) {
	frame := func(rules string) string {
		return base + "frontend f\n  bind 127.0.0.1:@PORT@\n  capture request header x-f len 20\n" +
			"  acl named path_beg /a\n  acl multi path /zzz\n  acl multi path_end .html\n" + rules +
			"  default_backend b\nbackend b\n  server s1 @SRV@\n"
	}
	rule := func(i int, r *row) string {
		return fmt.Sprintf("  http-request set-header x-t%d yes if %s\n", i, r.ask)
	}
	good := accepted(rows, func(r *row) string { return frame(rule(0, r)) })
	var rules strings.Builder
	for i, r := range good {
		rules.WriteString(rule(i, r))
	}
	seen, _ := run(frame(rules.String()), request)
	for i, r := range good {
		r.answer = "no"
		if header(seen, fmt.Sprintf("x-t%d", i)) == "yes" {
			r.answer = "yes"
		}
	}
}

// prefix logs what changes from run to run before the format that is asked.
const prefix = "%Ts %ms %cp %fp %sp %bp %pid %rt %lc %Th %Ti %TR %Tw %Tc %Tr %Tt %B %U|"

func askLogs(request string, rows []*row) {
	frame := func(r *row) string {
		return base + "frontend f\n  bind 127.0.0.1:@PORT@\n  capture request header x-c len 40\n" +
			"  capture request header x-none len 40\n  capture response header x-r len 10\n  capture cookie A len 10\n" +
			"  unique-id-format id-%ci\n  log-format " + quote(prefix+r.ask) +
			"\n  default_backend b\nbackend b\n  server s1 @SRV@\n"
	}
	for _, r := range accepted(rows, frame) {
		_, line := run(frame(r), request)
		r.answer = strconv.Quote(strings.TrimSuffix(line, "\n"))
	}
}

// run starts haproxy, sends one request and gives what the server and the log
// saw.
func run(config, request string) (head, line string) {
	logs, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(err)
	defer logs.Close()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	defer server.Close()
	heads := make(chan string, 100)
	go serve(server, heads)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	address := free.Addr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(address)
	name := write(strings.NewReplacer("@LOG@", logs.LocalAddr().String(), "@PORT@", port, "@SRV@", server.Addr().String()).Replace(config))
	defer os.Remove(name)
	cmd := exec.Command("haproxy", "-db", "-f", name)
	cmd.Env = append(os.Environ(), "TZ=UTC", "WEIR_TEST=from the environment")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	must(cmd.Start())
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	conn := dial(address, &errs)
	defer conn.Close()
	_, err = conn.Write([]byte(request))
	must(err)
	conn.SetReadDeadline(time.Now().Add(time.Second))
	answer, _ := bufio.NewReader(conn).ReadString('\n')
	if conn.Close(); answer == "" {
		log.Fatalf("no answer to %q", request)
	}
	buf := make([]byte, 65536)
	logs.SetReadDeadline(time.Now().Add(time.Second))
	n, _, _ := logs.ReadFrom(buf)
	select {
	case head = <-heads:
	default:
	}
	return head, string(buf[:n])
}

func dial(address string, errs *bytes.Buffer) net.Conn {
	for range 200 {
		if conn, err := net.Dial("tcp", address); err == nil {
			return conn
		}
		time.Sleep(10 * time.Millisecond)
	}
	log.Fatalf("haproxy does not listen: %s", errs)
	return nil
}

// serve answers all requests and gives their heads.
func serve(l net.Listener, heads chan<- string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			in := bufio.NewReader(conn)
			for head := ""; ; {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				head += line
				if line == "\r\n" {
					heads <- head
					head = ""
					fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-R: a, b\r\nSet-Cookie: A=val1; path=/\r\n\r\nok")
				}
			}
		}()
	}
}

func header(head, name string) string {
	for line := range strings.SplitSeq(head, "\r\n") {
		if v, ok := strings.CutPrefix(line, name+": "); ok {
			return v
		}
	}
	return "(nothing)"
}

// quote writes a word for the configuration file.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(s) + `"`
}

func write(config string) string {
	f, err := os.CreateTemp("", "record-*.cfg")
	must(err)
	_, err = f.WriteString(config)
	must(err)
	must(f.Close())
	return f.Name()
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
