//go:build !race && !weirdebug

package proxy

import (
	"testing"
	"time"
)

func TestPersistenceCookiesDoNotAllocate(t *testing.T) {
	for name, cookies := range map[string]string{
		"none":    "",
		"ours":    "cookie: a=b; SRV=one|O5rKA|O5rKA; c=d\r\n",
		"expired": "cookie: SRV=one|AAAAB|AAAAB; c=d\r\n",
	} {
		for mode, spec := range map[string]Cookie{
			"insert": {Insert: true, Indirect: true, NoCache: true, MaxIdle: time.Hour, MaxLife: time.Hour},
			"prefix": {Prefix: true},
		} {
			t.Run(name+" "+mode, func(t *testing.T) {
				cfg := site(ModeHTTP, 1)
				cfg.Frontends[0].Log.Custom = ""
				spec.Name = "SRV"
				cfg.Backends[0].Cookie, cfg.Backends[0].CheckCache = &spec, true
				cfg.Backends[0].Servers[0].Cookie = "one"
				k := newNullKernel(t, cfg)
				k.response = []byte("HTTP/1.1 200 OK\r\netag: x\r\ncache-control: max-age=5\r\nset-cookie: SRV=x\r\ncontent-length: 2\r\n\r\nok")
				if mode == "prefix" {
					k.response = []byte("HTTP/1.1 200 OK\r\netag: x\r\ncache-control: private\r\nset-cookie: SRV=x\r\ncontent-length: 2\r\n\r\nok")
				}
				request := []byte("GET /a HTTP/1.1\r\nhost: x\r\n" + cookies + "\r\n")
				client := k.connect()
				exchange := func() {
					k.arrive(client, request)
					k.settle()
				}
				exchange()
				if k.socks[client].written == 0 {
					t.Fatal("no answer came")
				}
				wantNoAllocs(t, "a request", exchange)
			})
		}
	}
}
