package proxy_test

import (
	"strings"
	"testing"

	"github.com/weir-lb/weir/proxy"
)

func TestTwoBackendsCannotHaveOneName(t *testing.T) {
	err := proxy.Check(proxy.Config{Backends: []proxy.Backend{
		{Common: proxy.Common{Name: "b"}},
		{Common: proxy.Common{Name: "b"}, Servers: []proxy.Server{{Name: "s", Address: "192.0.2.1:80"}}},
	}}, proxy.Options{})
	if err == nil || !strings.Contains(err.Error(), "backend b: the name is taken by another backend") {
		t.Errorf("got %v", err)
	}
}
