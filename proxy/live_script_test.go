package proxy

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestServersTellTheirRateOfTheLastSecond(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Backends[0].HTTPRules.Request = []Rule{{Name: "set-header", Args: []string{"x-rate", "%[srv_sess_rate(be/s1)],%[be_sess_rate(be)]"}}}
	sc := newScript(t, cfg)
	ask := func(why, rate string) {
		t.Helper()
		sc.Client(1).Send(getA)
		sc.Server("s1").Want(why, "GET /a HTTP/1.1\r\nhost: x\r\nx-rate: "+rate+"\r\n\r\n")
		sc.Server("s1").Send(answerEmpty)
		sc.Client(1).Want("the answer", answerEmpty)
		sc.WantLog("a line", "204 ---- be/s1 0 0/0")
	}
	ask("nothing was counted yet", "0,0")
	ask("nor a moment later", "0,0")
	sc.Advance(1100 * time.Millisecond)
	ask("two in the second before", "2,2")
	sc.Advance(1100 * time.Millisecond)
	ask("one in the second before", "1,1")
}

func TestOwnAddressesAreTheMachines(t *testing.T) {
	own := ownAddress()
	list, err := net.InterfaceAddrs()
	if err != nil || len(list) == 0 {
		t.Fatalf("no addresses: %v", err)
	}
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err != nil || !own(p.Addr().Unmap()) {
			t.Errorf("%v is not known", a)
		}
	}
	if own(netip.MustParseAddr("192.0.2.1")) {
		t.Error("an address for documentation is not ours")
	}
}
