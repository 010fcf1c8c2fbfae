package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"time"
)

const (
	largeMax   = 1 << 30 // bytes of one /large answer
	slowMax    = 10 * time.Second
	headerWait = 10 * time.Second // a request head must be complete by then
)

// startWeb starts one HTTP server that tells its name.
func startWeb(name string) (net.Addr, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello from %s.\n\nYou asked for %s; the client is %s.\n", name, r.URL.Path, r.Header.Get("X-Forwarded-For"))
	})
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("/echo", echoRequest)
	mux.HandleFunc("/slow", slowAnswer)
	mux.HandleFunc("/large", largeAnswer)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerWait}
	go server.Serve(l)
	return l.Addr(), nil
}

func echoRequest(w http.ResponseWriter, r *http.Request) {
	head, err := httputil.DumpRequest(r, false)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Write(head)
	io.Copy(w, r.Body)
}

// slowAnswer waits ?ms= milliseconds.
func slowAnswer(w http.ResponseWriter, r *http.Request) {
	ms, _ := strconv.Atoi(r.FormValue("ms"))
	wait := min(time.Duration(max(ms, 0))*time.Millisecond, slowMax)
	select {
	case <-time.After(wait):
		fmt.Fprintf(w, "That took %v.\n", wait)
	case <-r.Context().Done():
	}
}

// largeAnswer sends ?bytes= bytes.
func largeAnswer(w http.ResponseWriter, r *http.Request) {
	left, _ := strconv.ParseInt(r.FormValue("bytes"), 10, 64)
	left = min(max(left, 0), largeMax)
	w.Header().Set("Content-Length", strconv.FormatInt(left, 10))
	piece := make([]byte, 64<<10)
	for i := range piece {
		piece[i] = "0123456789abcdef"[i%16]
	}
	for left > 0 {
		n, err := w.Write(piece[:min(left, int64(len(piece)))])
		if err != nil {
			return
		}
		left -= int64(n)
	}
}

// startEcho starts a TCP server that sends back what it gets.
func startEcho() (net.Addr, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr(), nil
}
