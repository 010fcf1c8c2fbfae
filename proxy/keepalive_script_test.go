package proxy

import "testing"

// The bytes that pass both ways unchanged: names are lower-case already.
const (
	getA  = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
	getB  = "GET /b HTTP/1.1\r\nhost: x\r\n\r\n"
	getC  = "GET /c HTTP/1.1\r\nhost: x\r\n\r\n"
	ok    = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
	hello = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
)

func TestKeepAliveUsesOneConnectionOnEachSide(t *testing.T) {
	sc := newScript(t, site(ModeHTTP, 1))
	c, s := sc.Client(1), sc.Server("s1")
	c.Send(getA)
	s.Want("the request goes out on a new connection", getA)
	s.Send(ok)
	c.Want("the answer comes back", ok)
	sc.WantLog("the exchange is over", "200 ---- be/s1 0 0/0")
	c.Send(getB)
	s.Want("the second request uses the idle connection", getB)
	s.Send(hello)
	c.Want("the second answer comes back", hello)
	sc.WantIdle("both connections stay")
}
