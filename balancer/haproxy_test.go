package balancer

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// recorded reads the cases of one file of testdata/haproxy.
func recorded(t *testing.T, name string) (cases [][]string) {
	t.Helper()
	f, err := os.Open("testdata/haproxy/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		if !strings.HasPrefix(in.Text(), "#") {
			cases = append(cases, strings.Split(in.Text(), "\t"))
		}
	}
	if len(cases) == 0 {
		t.Fatalf("%s holds no cases", name)
	}
	return cases
}

func hashKey(i int) string { return fmt.Sprintf("user-%d/%x", i, uint32(i*i)*2654435761) }

func hashAddress(i int) netip.Addr {
	x := uint32(i+1) * 2654435761 >> 1
	if i%4 == 3 {
		return netip.MustParseAddr(fmt.Sprintf("2001:db8:%x:%x::%x", x>>16, x&0xffff, i&0xffff))
	}
	return netip.AddrFrom4([4]byte{byte(x>>24 + 1), byte(x >> 16), byte(x >> 8), byte(x)})
}

func mustNew(t testing.TB, spec Spec) *Backend {
	t.Helper()
	for i := range spec.Servers {
		if spec.Servers[i].Name == "" {
			spec.Servers[i].Name = fmt.Sprintf("s%d", i+1)
		}
	}
	b, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func weighted(weights ...int) (servers []ServerSpec) {
	for _, w := range weights {
		servers = append(servers, ServerSpec{Weight: w})
	}
	return servers
}

func numbers(t *testing.T, s string) (out []int) {
	t.Helper()
	for _, f := range strings.Split(s, ",") {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// locked makes a backend take the mutex for each session, by giving a server that is never used a limit.
func locked(spec Spec) Spec {
	spec.Servers = append(spec.Servers[:len(spec.Servers):len(spec.Servers)], ServerSpec{MaxConn: 1, Disabled: true, ID: 9999})
	return spec
}

func TestKeysGoToTheServersOfHAProxy(t *testing.T) {
	servers := []ServerSpec{{Weight: 1}, {Weight: 3, ID: 7}, {Weight: 2}, {Weight: 1, ID: 40}, {Weight: 5}}
	for _, c := range recorded(t, "hash.txt") {
		words := strings.Fields(c[1])
		spec := Spec{Algorithm: Hash, Consistent: words[1] == "consistent", Servers: servers}
		if c[0] == "source" {
			spec.Algorithm = Source
		}
		if len(words) > 2 {
			spec.HashFunc = words[2]
		}
		spec.Avalanche = len(words) > 3
		for name, b := range map[string]*Backend{"fast": mustNew(t, spec), "locked": mustNew(t, locked(spec))} {
			t.Run(fmt.Sprintf("%s/%s/%s", c[0], c[1], name), func(t *testing.T) {
				if len(c[2]) != 1000 {
					t.Fatalf("%d recorded choices, want 1000", len(c[2]))
				}
				for i := range c[2] {
					key := []byte(hashKey(i))
					if spec.Algorithm == Source {
						key = hashAddress(i).AsSlice()
					}
					s, _ := b.Acquire(nil, &Request{KeyBytes: key})
					if got, want := s.Index()+1, int(c[2][i]-'0'); got != want {
						t.Fatalf("key %d (%q) goes to server %d, HAProxy's to %d", i, key, got, want)
					}
				}
			})
		}
	}
}

func TestTurnsComeInTheOrderOfHAProxy(t *testing.T) {
	for _, c := range recorded(t, "turns.txt") {
		spec := Spec{Servers: weighted(numbers(t, c[1])...)}
		switch c[0] {
		case "static-rr":
			spec.Algorithm = StaticRR
		case "hdr(none)": // a hash without a key
			spec.Algorithm = Hash
		}
		for name, b := range map[string]*Backend{"fast": mustNew(t, spec), "locked": mustNew(t, locked(spec))} {
			t.Run(fmt.Sprintf("%s/%s/%s", c[0], c[1], name), func(t *testing.T) {
				var got strings.Builder
				for range c[2] {
					s, _ := b.Acquire(nil, &Request{})
					fmt.Fprint(&got, s.Index()+1)
				}
				if got.String() != c[2] {
					t.Errorf("turns\n%s\nHAProxy's\n%s", got.String(), c[2])
				}
			})
		}
	}
}

func TestLeastConnChoosesAsHAProxy(t *testing.T) {
	for _, c := range recorded(t, "loads.txt") {
		b := mustNew(t, Spec{Algorithm: LeastConn, Servers: weighted(numbers(t, c[0])...)})
		for at, f := range strings.Fields(c[1]) {
			n, _ := strconv.Atoi(f)
			if n < 0 {
				b.Release(b.Servers()[-n-1])
				continue
			}
			s, _ := b.Acquire(nil, &Request{})
			if got := s.Index() + 1; got != n {
				t.Fatalf("weights %s, step %d: server %d, HAProxy's %d", c[0], at, got, n)
			}
		}
	}
}

func TestBalanceFactorChoosesAsHAProxy(t *testing.T) {
	moved := 0
	for _, c := range recorded(t, "share.txt") {
		factor, _ := strconv.Atoi(c[0])
		spec := Spec{Algorithm: Source, Consistent: true, BalanceFactor: factor, Servers: weighted(numbers(t, c[1])...)}
		b := mustNew(t, spec)
		spec.BalanceFactor = 0
		unbound := mustNew(t, spec)
		for at, f := range strings.Fields(c[2]) {
			source, server, opens := strings.Cut(f, "=")
			if !opens {
				n, _ := strconv.Atoi(f)
				b.Release(b.Servers()[-n-1])
				continue
			}
			r := &Request{KeyBytes: netip.MustParseAddr(source).AsSlice()}
			s, _ := b.Acquire(nil, r)
			if got := strconv.Itoa(s.Index() + 1); got != server {
				t.Fatalf("factor %d, weights %s, step %d: server %s, HAProxy's %s", factor, c[1], at, got, server)
			}
			if u, _ := unbound.Acquire(nil, r); u.Index() != s.Index() {
				moved++
			}
		}
	}
	if moved < 100 {
		t.Errorf("the factor moved only %d sessions: the recording proves little", moved)
	}
}

func TestHashFunctionsKnownValues(t *testing.T) {
	// From HAProxy's converters of the same names: http-request return status 200 hdr x %[str(hello),sdbm(1)] ...
	tests := []struct {
		function  string
		avalanche bool
		key       string
		want      uint64
	}{
		{"sdbm", false, "hello", 684824882},
		{"sdbm", true, "hello", 2061535398},
		{"sdbm", false, "\xe9\xff", 15284822},
		{"djb2", false, "hello", 261238937},
		{"djb2", true, "hello", 1119739105},
		{"crc32", false, "hello", 907060870},
		{"crc32", true, "hello", 3902247103},
		{"crc32", true, "0123456789", 2460890697},
		{"none", false, "\x00\x00\x00\x00\x12\x34\x56\x78", 0x12345678},
	}
	for _, c := range tests {
		b := mustNew(t, Spec{Algorithm: Hash, HashFunc: c.function, Avalanche: c.avalanche, Servers: weighted(1)})
		if got := b.HashKey([]byte(c.key)); got != c.want {
			t.Errorf("%s(%q), avalanche %v: %d, want %d", c.function, c.key, c.avalanche, got, c.want)
		}
	}
}

func TestIDsAreAssignedAsHAProxyDoes(t *testing.T) {
	// Column sid of "show stat" for these id settings; 0: none given.
	tests := []struct{ given, want []int }{
		{[]int{0, 1, 0}, []int{2, 1, 4}},
		{[]int{5, 0, 0}, []int{5, 2, 3}},
		{[]int{0, 0, 2, 0}, []int{1, 3, 2, 5}},
		{[]int{0, 3, 0, 0}, []int{1, 3, 4, 5}},
	}
	for _, c := range tests {
		var servers []ServerSpec
		for _, id := range c.given {
			servers = append(servers, ServerSpec{ID: id, Weight: 1})
		}
		b := mustNew(t, Spec{Servers: servers})
		for i, s := range b.Servers() {
			if s.ID() != c.want[i] {
				t.Errorf("ids %v: server %d has %d, want %d", c.given, i+1, s.ID(), c.want[i])
			}
		}
	}
}

// smoothByRule is the rule that smoothMap tells, carried out place by place.
func smoothByRule(weights []int32) (places []uint16) {
	w := reduced(weights)
	var total int64
	for _, x := range w {
		total += x
	}
	score := make([]int64, len(w))
	for range total {
		best, most := -1, int64(0)
		for i, x := range w {
			if x == 0 {
				continue
			}
			score[i] += x
			whole := (score[i]+total*1000)/total - 1000 // rounded down below zero too
			if best < 0 || whole > most {
				best, most = i, whole
			}
		}
		score[best] -= total
		places = append(places, uint16(best))
	}
	return places
}

func FuzzSmoothMap(f *testing.F) {
	f.Add([]byte{1, 2, 3})
	f.Add([]byte{255, 1, 0, 17, 255})
	f.Add([]byte{0, 7, 7, 7, 1, 1, 1, 90})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 100 {
			return
		}
		weights, sum := make([]int32, len(raw)), 0
		for i, w := range raw {
			weights[i] = int32(w)
			sum += int(w)
		}
		if sum == 0 {
			return
		}
		got, want := smoothMap(weights), smoothByRule(weights)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("weights %v: %v, by the rule %v", weights, got, want)
		}
	})
}

const minute = time.Minute // for tests in which some time passes
