package scenario

import "fmt"

// All is every scenario, in the order in which they run.
func All() []Scenario {
	all := []Scenario{
		{
			Name: "h1-64", Title: "HTTP/1.1 keep-alive, 64 connections, answers of 128 bytes", Main: true,
			Load: Load{Tool: Wrk, Connections: 64}, Rates: []int{30, 60, 90},
		},
		{
			Name: "h1-1000", Title: "the same with 1000 connections", Main: true,
			Load: Load{Tool: Wrk, Connections: 1000}, Rates: []int{30, 60, 90},
		},
		{
			Name: "h1-1", Title: "the same with one connection: the way there and back",
			Load: Load{Tool: Wrk, Connections: 1},
		},
		{
			Name: "h1-5000", Title: "the same with 5000 connections",
			Load: Load{Tool: Wrk, Connections: 5000},
		},
		{
			Name: "close", Title: "a connection for each request, 64 at once", Main: true,
			Load: Load{Tool: Wrk, Connections: 64, Close: true},
		},
		{
			Name: "pipeline-16", Title: "16 requests on their way on each of 16 connections",
			Load: Load{Tool: H2load, Connections: 16, Pipeline: 16},
		},
	}
	all = append(all, bodies()...)
	all = append(all, rules()...)
	all = append(all, balancing()...)
	all = append(all, tcp()...)
	all = append(all, encrypted()...)
	all = append(all, http2()...)
	all = append(all, limits()...)
	for i := range all {
		if all[i].Proxy.Servers == 0 {
			all[i].Proxy.Servers = 1
		}
		if all[i].Load.Kind == "" {
			all[i].Load.Kind = Closed
		}
	}
	return all
}

func bodies() []Scenario {
	var out []Scenario
	for _, b := range []struct {
		name        string
		bytes       int64
		connections int
		main        bool
	}{
		{"0", 0, 64, false},
		{"4k", 4 << 10, 64, false},
		{"64k", 64 << 10, 32, true},
		{"1m", 1 << 20, 16, true},
		{"100m", 100 << 20, 4, false},
	} {
		out = append(out,
			Scenario{
				Name: "get-" + b.name, Title: fmt.Sprintf("answers of %s bytes, %d connections", b.name, b.connections), Main: b.main,
				Load: Load{Tool: Wrk, Connections: b.connections, Path: fmt.Sprintf("/b/%d", b.bytes)},
			},
			Scenario{
				Name: "post-" + b.name, Title: fmt.Sprintf("requests with bodies of %s bytes, %d connections", b.name, b.connections),
				Load: Load{Tool: Own, Connections: b.connections, Upload: true, Post: b.bytes},
			})
	}
	return append(out,
		Scenario{
			Name: "get-chunked", Title: "answers of 64 KB in chunks of 4 KB, 32 connections",
			Load: Load{Tool: Wrk, Connections: 32, Path: "/c/65536/4096"},
		},
		Scenario{
			Name: "post-chunked", Title: "requests with bodies of 64 KB in chunks of 4 KB, 32 connections",
			Load: Load{Tool: Own, Connections: 32, Upload: true, Post: 64 << 10, Chunked: true},
		})
}

func rules() []Scenario {
	return []Scenario{
		{
			Name: "acl", Title: "deny rules (paths, User-Agent, addresses) that no request matches, 64 connections", Main: true,
			Variants: []Variant{{Name: "no rule"}, {Name: "1 rule", Rules: 1}, {Name: "50 rules", Rules: 50, Main: true}},
			Load:     Load{Tool: Wrk, Connections: 64},
		},
		{
			Name: "log-udp", Title: "a log line for each request, by UDP, 64 connections",
			Proxy: Proxy{Log: true}, Load: Load{Tool: Wrk, Connections: 64},
		},
	}
}

// algorithms of HAProxy. Those that look at the request get one with many paths,
// fields and parameters, those that look at the client get many addresses.
var algorithms = []struct {
	name           string
	paths, sources int
}{
	{"leastconn", 0, 0}, {"roundrobin", 0, 0}, {"static-rr", 0, 0}, {"first", 0, 0}, {"random", 0, 0},
	{"source", 0, 64}, {"uri", 1000, 0}, {"url_param", 1000, 0}, {"hdr", 1000, 0},
}

func balancing() []Scenario {
	var out []Scenario
	for _, a := range algorithms {
		out = append(out, Scenario{
			Name: "balance-" + a.name, Title: "many servers, balance " + a.name + ", 64 connections", Main: a.name == "leastconn",
			Variants: []Variant{
				{Name: "2 servers", Servers: 2, Main: true}, {Name: "50 servers", Servers: 50}, {Name: "500 servers", Servers: 500, Main: true},
			},
			Proxy: Proxy{Algorithm: a.name},
			Load:  Load{Tool: Own, Connections: 64, Paths: a.paths, Sources: a.sources},
		})
	}
	return out
}

func tcp() []Scenario {
	return []Scenario{
		{
			Name: "tcp-ping", Title: "TCP, 128 bytes there and back, 64 connections",
			Proxy: Proxy{TCP: true}, Load: Load{Tool: Own, Connections: 64, Ping: true},
		},
		{
			Name: "tcp-bulk", Title: "TCP, 100 MB from the server to each of 8 connections, again and again", Main: true,
			Proxy: Proxy{TCP: true}, Load: Load{Tool: Own, Connections: 8, Stream: 100 << 20},
		},
	}
}

func encrypted() []Scenario {
	return []Scenario{
		{
			Name: "tls-64", Title: "HTTP/1.1 keep-alive over TLS 1.3, 64 connections, answers of 128 bytes", Main: true,
			Proxy: Proxy{TLS: true}, Load: Load{Tool: Wrk, Connections: 64},
		},
		{
			Name: "tls-close", Title: "a full TLS 1.3 handshake (ECDSA P-256) for each request, 64 connections at once", Main: true,
			Proxy: Proxy{TLS: true}, Load: Load{Tool: Wrk, Connections: 64, Close: true},
		},
		{
			Name: "tls-get-1m", Title: "answers of 1m bytes over TLS 1.3, 16 connections",
			Proxy: Proxy{TLS: true}, Load: Load{Tool: Wrk, Connections: 16, Path: "/b/1048576"},
		},
	}
}

func http2() []Scenario {
	load := Load{Tool: H2load, Connections: 32, Pipeline: 16}
	return []Scenario{
		{
			Name: "h2c-32x16", Title: "HTTP/2 without TLS, 32 connections with 16 streams each, HTTP/1.1 servers", Main: true,
			Proxy: Proxy{H2: true}, Load: load,
		},
		{
			Name: "h2-32x16", Title: "the same over TLS 1.3",
			Proxy: Proxy{H2: true, TLS: true}, Load: load,
		},
	}
}

func limits() []Scenario {
	return []Scenario{
		{
			Name: "overload", Title: "256 connections, two servers with maxconn 8: most requests wait in the proxy",
			Proxy: Proxy{Servers: 2, ServerMax: 8}, Load: Load{Tool: Wrk, Connections: 256},
		},
		{
			Name: "idle", Title: "10,000 idle keep-alive clients", Main: true,
			Load: Load{Kind: Idle, Tool: Own, Connections: connectionsMax},
		},
		{
			Name: "slow-200", Title: "200 clients that read answers of 100 MB at 256 KB/s, beside 2000 requests per second on 64 connections",
			Load: Load{Tool: Own, Connections: 64, Rate: 2000, Slow: 200, SlowPath: "/b/104857600", Drip: 256 << 10},
		},
		{
			Name: "h1-64-all-cores", Title: "HTTP/1.1 keep-alive, 64 connections, the proxy on all cores beside the load",
			Variants: []Variant{{Name: "1 thread", Threads: 1}, {Name: "a thread for each core"}},
			Load:     Load{Tool: Wrk, Connections: 64}, AllCores: true,
		},
		{
			Name: "garbage", Title: "HTTP/1.1 keep-alive, 64 connections, for a minute: collections of garbage", Main: true, Seconds: 60,
			Load: Load{Tool: Wrk, Connections: 64}, Only: []string{"weir"},
		},
	}
}
