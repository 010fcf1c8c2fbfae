package main

import (
	"context"
	"log"
	"os/signal"
	"syscall"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/listener"
	"github.com/weir-lb/weir/proxy"
)

func main() {
	p, err := proxy.New(proxy.Config{
		Frontends: []proxy.Frontend{{
			Common:         proxy.Common{Name: "www", Mode: proxy.ModeHTTP},
			Binds:          []listener.Spec{{Address: "127.0.0.1:8080"}},
			DefaultBackend: "app",
		}},
		Backends: []proxy.Backend{{
			Common:  proxy.Common{Name: "app", Mode: proxy.ModeHTTP},
			Balance: balancer.Spec{Algorithm: balancer.LeastConn, Servers: []balancer.ServerSpec{{Name: "a"}, {Name: "b"}}},
			Servers: []proxy.Server{{Name: "a", Address: "127.0.0.1:8001"}, {Name: "b", Address: "127.0.0.1:8002"}},
		}},
	}, proxy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log.Fatal(p.Run(ctx))
}
