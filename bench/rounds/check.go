package rounds

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/weir-lb/weir/bench/server"
)

const (
	checkMax      = 30 * time.Second
	checkBytesMax = 8 << 20 // of a stream or body that are compared
	pingBytes     = 128
)

// check sends what the load will send, once, and looks at every byte.
func (st *stage) check(p *player) error {
	switch {
	case st.Load.Ping:
		return p.checkPing()
	case st.Load.Stream > 0:
		c, err := net.DialTimeout("tcp", p.listen.String(), checkMax)
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(checkMax))
		return checkContent(c, min(st.Load.Stream, checkBytesMax))
	}
	return st.checkHTTP(p)
}

func (p *player) checkPing() error {
	c, err := net.DialTimeout("tcp", p.listen.String(), checkMax)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(checkMax))
	sent, got := bytes.Repeat([]byte("ping"), pingBytes/4), make([]byte, pingBytes)
	if _, err := c.Write(sent); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if !bytes.Equal(got, sent) {
		return fmt.Errorf("got %q back for %q", got, sent)
	}
	return nil
}

func (st *stage) checkHTTP(p *player) error {
	client := &http.Client{Timeout: checkMax, Transport: st.transport()}
	method, body := http.MethodGet, io.Reader(nil)
	if st.Load.Upload {
		method, body = http.MethodPost, strings.NewReader(strings.Repeat("x", int(min(st.Load.Post, checkBytesMax))))
	}
	if st.Load.Chunked {
		body = io.MultiReader(body) // net/http does not see its length
	}
	before := st.counters.Read()
	req, err := http.NewRequest(method, fmt.Sprintf("%s://%v%s", st.scheme(), p.listen, path(st.Load.Path+st.Load.SlowPath)), body)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || (resp.ProtoMajor == 2) != st.Proxy.H2 {
		return fmt.Errorf("%s with status %s", resp.Proto, resp.Status)
	}
	size := resp.ContentLength
	if size < 0 || size > checkBytesMax {
		size = min(checkBytesMax, st.Load.BodyBytes())
	}
	if err := checkContent(resp.Body, size); err != nil {
		return err
	}
	if got := st.counters.Read().Sub(before); got.Requests < 1 || got.BytesIn < min(st.Load.Post, checkBytesMax) {
		return fmt.Errorf("the server saw %d requests and %d bytes", got.Requests, got.BytesIn)
	}
	return nil
}

func (st *stage) scheme() string {
	if st.Proxy.TLS {
		return "https"
	}
	return "http"
}

// transport speaks what the load will speak. The certificate is made for this run
// and signed by nobody.
func (st *stage) transport() *http.Transport {
	t := &http.Transport{
		DisableKeepAlives: true, DisableCompression: true, Protocols: new(http.Protocols),
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13},
	}
	t.Protocols.SetHTTP1(!st.Proxy.H2)
	t.Protocols.SetHTTP2(st.Proxy.H2 && st.Proxy.TLS)
	t.Protocols.SetUnencryptedHTTP2(st.Proxy.H2 && !st.Proxy.TLS)
	return t
}

// checkContent compares the first n bytes with what the server sends.
func checkContent(in io.Reader, n int64) error {
	buf := make([]byte, 1<<16)
	for at := int64(0); at < n; {
		got, err := in.Read(buf[:min(int64(len(buf)), n-at)])
		for i, b := range buf[:got] {
			if want := server.ByteAt(at + int64(i)); b != want {
				return fmt.Errorf("byte %d is %q, want %q", at+int64(i), b, want)
			}
		}
		at += int64(got)
		if err != nil && at < n {
			return fmt.Errorf("ends after %d of %d bytes: %w", at, n, err)
		}
	}
	return nil
}
