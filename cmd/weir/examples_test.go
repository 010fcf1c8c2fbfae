package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The files under examples/ run as they are, but for addresses, paths and
// waiting times: every replacement must find its text.
func runExample(t *testing.T, name string, replace ...string) *started {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../examples", name))
	if err != nil {
		t.Fatal(err)
	}
	config := string(text)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(config, replace[i]) {
			t.Fatalf("%s has no %q to replace", name, replace[i])
		}
		config = strings.ReplaceAll(config, replace[i], replace[i+1])
	}
	return start(t, "-db", "-f", write(t, filepath.Base(name), config))
}

// listenAlike opens one port on several loopback addresses, as a cluster has it.
func listenAlike(t *testing.T, hosts ...string) (port string, listeners []net.Listener) {
	t.Helper()
	for range 20 {
		if port, listeners = tryListenAlike(hosts); listeners != nil {
			for _, l := range listeners {
				t.Cleanup(func() { l.Close() })
			}
			return port, listeners
		}
	}
	t.Fatalf("no port is free on all of %v", hosts)
	return "", nil
}

func tryListenAlike(hosts []string) (port string, listeners []net.Listener) {
	port = "0"
	for _, host := range hosts {
		l, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err != nil {
			for _, l := range listeners {
				l.Close()
			}
			return "", nil
		}
		_, port, _ = net.SplitHostPort(l.Addr().String())
		listeners = append(listeners, l)
	}
	return port, listeners
}

// greet says name to every connection and keeps it open.
func greet(l net.Listener, name string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			fmt.Fprintln(conn, name)
			io.Copy(io.Discard, conn)
			conn.Close()
		}()
	}
}

// A status is what a health service answers; it may change.
type status struct{ code atomic.Int32 }

func (s *status) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(int(s.code.Load()))
}

func serveHTTP(t *testing.T, l net.Listener, h http.Handler) *http.Server {
	server := &http.Server{Handler: h}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return server
}

// A session is one TCP connection through the proxy.
type session struct {
	conn   net.Conn
	server string // who greeted
}

// connect opens a session; it fails where nobody greets.
func connect(address string) (session, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return session{}, err
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	name, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		conn.Close()
		return session{}, err
	}
	return session{conn, strings.TrimSpace(name)}, nil
}

// reach waits until a new session ends up at one of the servers.
func reach(t *testing.T, address string, servers ...string) session {
	t.Helper()
	var s session
	eventually(t, fmt.Sprintf("a session with one of %v on %s", servers, address), func() bool {
		var err error
		if s, err = connect(address); err != nil {
			return false
		}
		for _, name := range servers {
			if s.server == name {
				return true
			}
		}
		s.conn.Close()
		return false
	})
	t.Cleanup(func() { s.conn.Close() })
	return s
}

func (s session) wantEnd(t *testing.T, why string) {
	t.Helper()
	s.conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, s.conn); os.IsTimeout(err) {
		t.Errorf("the session is still open: %s", why)
	}
}

func TestExampleGalera(t *testing.T) {
	hosts := []string{"127.0.2.21", "127.0.2.22", "127.0.2.23"}
	port, databases := listenAlike(t, hosts...)
	checkPort, checks := listenAlike(t, hosts...)
	health := make([]*status, len(hosts))
	for i, host := range hosts {
		go greet(databases[i], host)
		health[i] = &status{}
		health[i].code.Store(200)
		serveHTTP(t, checks[i], health[i])
	}
	front := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	runExample(t, "galera.cfg",
		"*:3306", front, ":3306", ":"+port, "192.0.2.", "127.0.2.", "port 9200", "port "+checkPort,
		"inter 2s downinter 5s", "inter 50ms downinter 50ms", "/dev/log", logTarget(t, nil))

	first := reach(t, front, hosts[0])
	for range 5 { // all sessions go to one node
		if s := reach(t, front, hosts...); s.server != hosts[0] {
			t.Errorf("a session went to %s while %s is up", s.server, hosts[0])
		}
	}
	health[0].code.Store(503)
	first.wantEnd(t, "its server is down (on-marked-down shutdown-sessions)")
	reach(t, front, hosts[1])
	health[0].code.Store(200)
	reach(t, front, hosts[0])
}

func TestExamplePostgreSQL(t *testing.T) {
	hosts := []string{"127.0.2.31", "127.0.2.32"}
	port, databases := listenAlike(t, hosts...)
	checkPort, checks := listenAlike(t, hosts...)
	primary, replica := make([]*status, 2), make([]*status, 2)
	for i, host := range hosts {
		go greet(databases[i], host)
		primary[i], replica[i] = &status{}, &status{}
		mux := http.NewServeMux()
		mux.Handle("OPTIONS /primary", primary[i])
		mux.Handle("OPTIONS /replica", replica[i])
		serveHTTP(t, checks[i], mux)
	}
	elect := func(leader int) {
		for i := range hosts {
			up, down := int32(200), int32(503)
			if i != leader {
				up, down = down, up
			}
			primary[i].code.Store(up)
			replica[i].code.Store(down)
		}
	}
	elect(0)
	front := []string{fmt.Sprintf("127.0.0.1:%d", freePort(t)), fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	runExample(t, "postgresql.cfg",
		"*:5000", front[0], "*:5001", front[1], ":5432", ":"+port, "192.0.2.", "127.0.2.", "port 8008", "port "+checkPort,
		"inter 3s", "inter 50ms", "/dev/log", logTarget(t, nil))

	// Before the first checks every server counts as up.
	eventually(t, "pg2 seen as no primary", func() bool {
		for range 4 {
			if s, err := connect(front[0]); err != nil || s.server != hosts[0] {
				return false
			}
		}
		return true
	})
	writer := reach(t, front[0], hosts[0])
	reach(t, front[1], hosts[1])
	elect(1)
	writer.wantEnd(t, "its server is no longer primary")
	reach(t, front[0], hosts[1])
	reach(t, front[1], hosts[0])
}

func TestExampleKubernetesAPI(t *testing.T) {
	hosts := []string{"127.0.2.41", "127.0.2.42", "127.0.2.43"}
	port, servers := listenAlike(t, hosts...)
	for i, host := range hosts {
		go greet(servers[i], host)
	}
	front := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	runExample(t, "kubernetes-api.cfg",
		"*:6443", front, ":6443", ":"+port, "192.0.2.", "127.0.2.", "inter 10s downinter 5s fastinter 1s", "inter 50ms", "/dev/log", logTarget(t, nil))
	for _, host := range hosts {
		reach(t, front, host)
	}
	servers[1].Close()
	eventually(t, "cp2 out of rotation", func() bool {
		for range 6 {
			if s, err := connect(front); err != nil || s.server == hosts[1] {
				return false
			}
		}
		return true
	})
}

// logTarget is a syslog server; what it receives goes to lines.
func logTarget(t *testing.T, lines chan<- string) (address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		datagram := make([]byte, 64<<10)
		for {
			n, _, err := conn.ReadFrom(datagram)
			if err != nil {
				return
			}
			if lines != nil {
				lines <- string(datagram[:n])
			}
		}
	}()
	return conn.LocalAddr().String()
}

// A web server that tells its name and what it saw.
type webServer struct {
	name   string
	l      net.Listener
	server *http.Server

	mu   sync.Mutex
	last *http.Request
}

func startWebServer(t *testing.T, name string) *webServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &webServer{name: name, l: l}
	s.server = serveHTTP(t, l, s)
	return s
}

func (s *webServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/alive") && r.URL.Path != "/health" && r.Method != http.MethodOptions {
		s.mu.Lock()
		s.last = r
		s.mu.Unlock()
	}
	if r.URL.Path == "/broken" {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	io.WriteString(w, s.name)
}

func (s *webServer) seen() *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// An answer is what a client of the proxy got.
type answer struct {
	code   int
	body   string
	header http.Header
}

// ask sends one request; header holds name and value in turn.
func ask(t *testing.T, method, url string, header ...string) answer {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			request.Host = header[i+1]
		}
	}
	client := http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return answer{body: err.Error()}
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return answer{response.StatusCode, string(body), response.Header}
}

func TestExampleDebian(t *testing.T) {
	app1, app2 := startWebServer(t, "app1"), startWebServer(t, "app2")
	dir := t.TempDir()
	errorPage := "HTTP/1.0 400 Bad request\r\nContent-Type: text/plain\r\n\r\nfrom the error file\n"
	for _, code := range []int{400, 403, 408, 500, 502, 503, 504} {
		text := strings.Replace(errorPage, "400", strconv.Itoa(code), 1)
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(code)+".http"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lines := make(chan string, 1000)
	port := freePort(t)
	replace := []string{
		"*:80\n", fmt.Sprintf("127.0.0.1:%d\n", port), "192.0.2.11:8080", app1.l.Addr().String(), "192.0.2.12:8080", app2.l.Addr().String(),
		"/dev/log", logTarget(t, lines), "/var/lib/haproxy", t.TempDir(), "/run/haproxy", dir, "/etc/haproxy/errors", dir,
		"user haproxy", "user nobody", "group haproxy", "group nogroup",
	}
	if os.Geteuid() != 0 {
		replace = append(replace, "user nobody", "", "group nogroup", "", "chroot ", "# chroot ")
	}
	p := runExample(t, "debian/haproxy.cfg", replace...)
	url := fmt.Sprintf("http://127.0.0.1:%d/", port)
	eventually(t, "an answer", func() bool { return !p.hasEnded() && ask(t, "GET", url).code == 200 })

	served := map[string]int{}
	for range 4 {
		served[ask(t, "GET", url).body]++
	}
	if served["app1"] != 2 || served["app2"] != 2 {
		t.Errorf("served by %v, want 2 each", served)
	}
	if got := app1.seen().Header.Get("X-Forwarded-For"); got != "127.0.0.1" {
		t.Errorf("X-Forwarded-For %q", got)
	}
	if got := ask(t, "GET", url+"broken"); got.code != 502 || got.body != "from the error file\n" {
		t.Errorf("answer for a server that closes: %d %q", got.code, got.body)
	}
	wantLogLine(t, lines, `www app/app1 `, `"GET / HTTP/1.1"`)
	wantLogLine(t, lines, ` 502 `, ` SH-- `, `"GET /broken HTTP/1.1"`)
}

// wantLogLine waits for a line that holds all parts.
func wantLogLine(t *testing.T, lines <-chan string, parts ...string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line := <-lines:
			found := true
			for _, part := range parts {
				found = found && strings.Contains(line, part)
			}
			if found {
				return
			}
		case <-deadline:
			t.Errorf("no log line with %q", parts)
			return
		}
	}
}

// A webFarm is examples/webfarm.cfg with its servers.
type webFarm struct {
	t       *testing.T
	url     string
	servers map[string]*webServer
}

func startWebFarm(t *testing.T) *webFarm {
	f := &webFarm{t: t, servers: map[string]*webServer{}}
	port := freePort(t)
	f.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	replace := []string{"*:80\n", fmt.Sprintf("127.0.0.1:%d\n", port), "/dev/log", logTarget(t, nil)}
	for name, address := range map[string]string{
		"static1": "192.0.2.51:8080", "static2": "192.0.2.52:8080", "api1": "192.0.2.61:8080", "api2": "192.0.2.62:8080",
		"app1": "192.0.2.71:8080", "app2": "192.0.2.72:8080", "sorry": "192.0.2.79:8080",
	} {
		f.servers[name] = startWebServer(t, name)
		replace = append(replace, address, f.servers[name].l.Addr().String())
	}
	p := runExample(t, "webfarm.cfg", replace...)
	eventually(t, "the monitor", func() bool { return !p.hasEnded() && f.ask("GET", "/lb-alive").code == 200 })
	return f
}

func (f *webFarm) ask(method, path string, header ...string) answer {
	f.t.Helper()
	return ask(f.t, method, f.url+path, header...)
}

func TestExampleWebFarmRoutes(t *testing.T) {
	f := startWebFarm(t)
	for name, row := range map[string]struct {
		got  answer
		code int
		by   string // the servers' names start with this
	}{
		"folder":           {f.ask("GET", "/static/a"), 200, "static"},
		"extension":        {f.ask("GET", "/theme.css?v=2"), 200, "static"},
		"method":           {f.ask("POST", "/static/a"), 405, ""},
		"API host":         {f.ask("GET", "/", "Host", "API.example.com"), 200, "api"},
		"API path":         {f.ask("GET", "/api/v1"), 200, "api"},
		"anything else":    {f.ask("POST", "/order"), 200, "app"},
		"admin from home":  {f.ask("GET", "/admin"), 200, "app"},
		"canonical host":   {f.ask("GET", "/x", "Host", "example.com"), 301, ""},
		"the API's health": {f.ask("GET", "/api/health", "X-Internal", "1"), 200, "api"},
	} {
		if row.got.code != row.code || row.by != "" && !strings.HasPrefix(row.got.body, row.by) {
			t.Errorf("%s: %d by %q, want %d by %s", name, row.got.code, row.got.body, row.code, row.by)
		}
	}
	if got := f.ask("GET", "/x", "Host", "example.com").header.Get("Location"); got != "http://www.example.com/x" {
		t.Errorf("redirected to %q", got)
	}
	if got := f.ask("GET", "/images/a").header.Get("X-Served-By"); got != "static" {
		t.Errorf("X-Served-By %q", got)
	}
	by := f.ask("GET", "/api/x", "X-Internal", "secret").body
	if seen := f.servers[by].seen().Header; seen.Get("X-Forwarded-Proto") != "http" || seen.Get("X-Internal") != "" {
		t.Errorf("%s saw %v", by, seen)
	}
}

func TestExampleWebFarmKeepsUsersWhereTheyAre(t *testing.T) {
	f := startWebFarm(t)
	first := f.ask("GET", "/cart")
	cookie := first.header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "SERVERID="+first.body+";") {
		t.Fatalf("%s set the cookie %q", first.body, cookie)
	}
	for range 4 {
		again := f.ask("GET", "/cart", "Cookie", "user=7; SERVERID="+first.body)
		if again.body != first.body || again.header.Get("Set-Cookie") != "" {
			t.Errorf("the user of %s came to %s, cookie %q", first.body, again.body, again.header.Get("Set-Cookie"))
		}
	}
	if got := f.servers[first.body].seen().Header.Get("Cookie"); got != "user=7" {
		t.Errorf("the server saw the cookie %q (indirect)", got)
	}
	f.servers[first.body].server.Close() // idle connections too
	moved := f.ask("GET", "/cart", "Cookie", "SERVERID="+first.body)
	if moved.code != 200 || moved.body == first.body || !strings.HasPrefix(moved.header.Get("Set-Cookie"), "SERVERID="+moved.body) {
		t.Errorf("after the end of %s: %d from %q, cookie %q", first.body, moved.code, moved.body, moved.header.Get("Set-Cookie"))
	}
}
