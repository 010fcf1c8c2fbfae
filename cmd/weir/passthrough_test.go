package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"testing"
	"time"
)

// certificate is one for names, signed by itself.
func certificate(t *testing.T, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// greetTLS tells every client its name, over TLS.
func greetTLS(t *testing.T, l net.Listener, name string) {
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t, name)}, NextProtos: []string{"acme-tls/1", "http/1.1"}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.WriteString(tls.Server(conn, config), name+"\n")
			}()
		}
	}()
}

// A chopped connection sends its first bytes one at a time in records of their own size.
type chopped struct {
	net.Conn
	first  bool
	record int // bytes of a record
}

func (c *chopped) Write(p []byte) (int, error) {
	if c.first {
		return c.Conn.Write(p)
	}
	c.first = true
	for rest := p[5:]; len(rest) > 0; {
		n := min(c.record, len(rest))
		record := append([]byte{22, 3, 1, byte(n >> 8), byte(n)}, rest[:n]...)
		rest = rest[n:]
		for _, b := range record {
			if _, err := c.Conn.Write([]byte{b}); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

// dialAtLast connects as soon as somebody listens.
func dialAtLast(t *testing.T, address string) net.Conn {
	t.Helper()
	var conn net.Conn
	eventually(t, "a connection to "+address, func() (ok bool) {
		var err error
		conn, err = net.Dial("tcp", address)
		return err == nil
	})
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

func TestExampleSNIRouting(t *testing.T) {
	hosts := []string{"127.0.2.60", "127.0.2.61", "127.0.2.62", "127.0.2.63", "127.0.2.64"}
	names := []string{"acme", "shop", "shop", "blog", "www"}
	port, servers := listenAlike(t, hosts...)
	for i := range servers {
		greetTLS(t, servers[i], names[i])
	}
	front := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	runExample(t, "sni-routing.cfg", "bind :443", "bind "+front, ":443", ":"+port, ":8443", ":"+port, "192.0.2.", "127.0.2.", "/dev/log", logTarget(t, nil))

	for name, c := range map[string]struct {
		sni, alpn, want string
		max             uint16
		record          int // 0: as it is
	}{
		"TLS 1.3":           {sni: "shop.example.com", want: "shop"},
		"TLS 1.2":           {sni: "Shop.Example.com", want: "shop", max: tls.VersionTLS12},
		"a name below":      {sni: "a.b.blog.example.com", want: "blog"},
		"not below":         {sni: "blog.example.com", want: "www"},
		"no name":           {want: "www"},
		"a protocol":        {sni: "shop.example.com", alpn: "acme-tls/1", want: "acme"},
		"byte by byte":      {sni: "shop.example.com", want: "shop", record: 16 << 10},
		"cut into records":  {sni: "shop.example.com", want: "shop", record: 50},
		"cut short at once": {sni: "x.blog.example.com", want: "blog", record: 4},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dialAtLast(t, front)
			config := &tls.Config{ServerName: c.sni, InsecureSkipVerify: true, MaxVersion: c.max}
			if c.alpn != "" {
				config.NextProtos = []string{c.alpn}
			}
			over := conn
			if c.record > 0 {
				over = &chopped{Conn: conn, record: c.record}
			}
			got, err := io.ReadAll(tls.Client(over, config))
			if string(got) != c.want+"\n" {
				t.Errorf("got %q (%v), want %q", got, err, c.want)
			}
		})
	}

	plain := dialAtLast(t, front)
	io.WriteString(plain, "GET / HTTP/1.1\r\n\r\n")
	if got, _ := io.ReadAll(plain); len(got) > 0 {
		t.Errorf("what is not TLS got %q", got)
	}
}
