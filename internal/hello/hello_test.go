package hello

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"testing"
)

// said is what a client of crypto/tls sends first.
func said(t testing.TB, config *tls.Config) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	config.InsecureSkipVerify = true // nobody answers
	go func() {
		tls.Client(theirs, config).Handshake()
		theirs.Close()
	}()
	defer ours.Close()
	header := make([]byte, recordHeader)
	if _, err := io.ReadFull(ours, header); err != nil {
		t.Fatal(err)
	}
	b := append(header, make([]byte, recordSize(header))...)
	if _, err := io.ReadFull(ours, b[recordHeader:]); err != nil {
		t.Fatal(err)
	}
	return b
}

// inRecords is b's message cut into records of at most n bytes.
func inRecords(b []byte, n int) []byte {
	var out []byte
	for rest := b[recordHeader:]; len(rest) > 0; {
		p := rest[:min(n, len(rest))]
		rest = rest[len(p):]
		out = append(out, recordHandshake, 3, 1, byte(len(p)>>8), byte(len(p)))
		out = append(out, p...)
	}
	return out
}

func hellos(t testing.TB) map[string][]byte {
	return map[string][]byte{
		"1.3":     said(t, &tls.Config{ServerName: "a.example.com", NextProtos: []string{"h2", "http/1.1"}}),
		"1.2":     said(t, &tls.Config{ServerName: "a.example.com", MaxVersion: tls.VersionTLS12, NextProtos: []string{"h2"}}),
		"no name": said(t, &tls.Config{ServerName: "192.0.2.1"}),
	}
}

func TestClientsOfTheStandardLibrary(t *testing.T) {
	for name, b := range hellos(t) {
		c, v := FindClient(b, nil)
		wantName, wantALPN := "a.example.com", "h2"
		if name == "no name" {
			wantName, wantALPN = "", ""
		}
		if v != Whole || c.Version != 0x0303 || string(c.ServerName) != wantName || string(c.ALPN) != wantALPN || !c.Groups || !c.Extensions {
			t.Errorf("%s: %+v, %v", name, c, v)
		}
	}
}

// What is not there yet is told from what is wrong, at every byte.
func TestEveryPrefixIsShort(t *testing.T) {
	for name, whole := range hellos(t) {
		for _, b := range [][]byte{whole, inRecords(whole, 60)} {
			for n := range b {
				if _, v := FindClient(b[:n], nil); v != Short {
					t.Fatalf("%s: verdict %v of %d of %d bytes", name, v, n, len(b))
				}
				if _, v := Type(b[:n], nil); v != Short {
					t.Fatalf("%s: type is %v after %d of %d bytes", name, v, n, len(b))
				}
			}
		}
	}
}

// A message says the same however it is cut.
func TestRecordsDoNotMatter(t *testing.T) {
	for name, b := range hellos(t) {
		want, _ := FindClient(b, nil)
		for n := messageHeader; n < len(b); n++ {
			got, v := FindClient(inRecords(b, n), make([]byte, 0, len(b)))
			if v != Whole || !bytes.Equal(got.ServerName, want.ServerName) || !bytes.Equal(got.ALPN, want.ALPN) || got.Ticket != want.Ticket {
				t.Fatalf("%s in records of %d: %+v, %v, want %+v", name, n, got, v, want)
			}
		}
	}
}

func TestWhatIsNoHello(t *testing.T) {
	for name, text := range map[string]string{
		"HTTP":                      "GET / HTTP/1.1\r\n",
		"one byte":                  "\x17",
		"SSLv2":                     "\x80\x2e\x01\x00\x02",
		"another major version":     "\x16\x02",
		"an empty record":           "\x16\x03\x01\x00\x00",
		"a record too long":         "\x16\x03\x01\x40\x01\x01",
		"a record of the type only": "\x16\x03\x01\x00\x01\x01",
		"a message too long":        "\x16\x03\x01\x00\x04\x01\x01\x00\x00",
		"another record in between": "\x16\x03\x01\x00\x05\x01\x00\x00\x40a\x15\x03\x01\x00\x02",
	} {
		if _, v := FindClient([]byte(text), nil); v != Other {
			t.Errorf("%s: verdict %v", name, v)
		}
	}
}

// A hello that breaks its own lengths names nobody: who reads it otherwise must
// not be led elsewhere by us.
func TestBrokenLengths(t *testing.T) {
	b := said(t, &tls.Config{ServerName: "a.example.com"})
	at := bytes.Index(b, []byte("a.example.com"))
	for name, change := range map[string]func(b []byte){
		"name longer":  func(b []byte) { b[at-1]++ },
		"name shorter": func(b []byte) { b[at-1]-- },
		"list longer":  func(b []byte) { b[at-4]++ },
		"extension":    func(b []byte) { b[at-6]++ },
		"session id":   func(b []byte) { b[recordHeader+messageHeader+2+randomSize] = 33 },
	} {
		broken := bytes.Clone(b)
		change(broken)
		if c, v := FindClient(broken, nil); v != Whole || c.ServerName != nil || c.Extensions || c.Version != 0x0303 {
			t.Errorf("%s: %+v, %v", name, c, v)
		}
	}
}

func TestFindAllocatesNothing(t *testing.T) {
	b := said(t, &tls.Config{ServerName: "a.example.com"})
	cut, scratch := inRecords(b, 100), make([]byte, 0, len(b))
	if n := testing.AllocsPerRun(100, func() {
		FindClient(b, nil)
		FindClient(cut, scratch)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzClient: whatever comes, a verdict that is not Short stays the same when
// more comes, and what is told stands in the bytes.
func FuzzClient(f *testing.F) {
	for _, b := range hellos(f) {
		f.Add(b, 20)
		f.Add(inRecords(b, 50), 100)
	}
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		whole, v := FindClient(b, nil)
		if n >= 0 && n < len(b) {
			part, early := FindClient(b[:n], nil)
			if early == Other && v != Other || early == Whole && (v != Whole || !bytes.Equal(part.ServerName, whole.ServerName)) {
				t.Errorf("%v after %d bytes, %v after all", early, n, v)
			}
		}
		for _, p := range [][]byte{whole.ServerName, whole.ALPN} {
			if len(p) > len(b) {
				t.Errorf("%q is longer than all", p)
			}
		}
		if v != Whole && (whole.ServerName != nil || whole.Version != 0) {
			t.Errorf("%v: %+v", v, whole)
		}
	})
}

func BenchmarkFindClient(b *testing.B) {
	hello := said(b, &tls.Config{ServerName: "a.example.com", NextProtos: []string{"h2", "http/1.1"}})
	b.ReportAllocs()
	for b.Loop() {
		FindClient(hello, nil)
	}
}
