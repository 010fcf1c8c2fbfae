package proxy

import (
	"io"
	"net"
	"strings"
)

const h2Start = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00" // with empty SETTINGS

// h2Attacks are those over HTTP/2, each named after what it is known as.
func h2Attacks(filler string) []attack {
	get := func(id uint32) string { return h2Request(id, true, "GET", "/own") }
	bomb := "\x40" + "\x01x\x7f\xa1\x1e" + filler[:4000] + strings.Repeat("\xbe", 8000) // one large field, then its index
	return []attack{
		{"h2 silent clients", plainDoor, crowd, false, holds(h2Start)},
		{"h2 header blocks that do not end", plainDoor, crowd, false, holds(h2Start + h2Frame(1, 0, 1, filler[:8000]))},
		{"h2 frames that trickle", plainDoor, crowd, true, trickles(h2Start+"\x00\x40\x00\x01\x04\x00\x00\x00\x01", "b")},
		{"h2 windows that stay shut", plainDoor, crowd, false,
			holds(h2Start + h2Frame(4, 0, 0, "\x00\x04\x00\x00\x00\x00") + h2Request(1, true, "GET", "/big"))},
		{"h2 CONTINUATION flood", plainDoor, few, true, floods(h2Start+h2Frame(1, 0, 1, ""), h2Frame(9, 0, 1, filler[:8000]), true)},
		{"h2 empty CONTINUATION", plainDoor, few, true, floods(h2Start+h2Frame(1, 0, 1, ""), h2Frame(9, 0, 1, ""), true)},
		{"h2 PING flood", plainDoor, few, true, floods(h2Start, h2Frame(6, 0, 0, "12345678"), true)},
		{"h2 PING flood whose answers nobody reads", plainDoor, few, false, floods(h2Start, h2Frame(6, 0, 0, "12345678"), false)},
		{"h2 SETTINGS flood", plainDoor, few, true, floods(h2Start, h2Frame(4, 0, 0, "\x00\x03\x00\x00\x00\x64"), true)},
		{"h2 empty DATA", plainDoor, few, true, floods(h2Start+h2Request(1, false, "POST", "/"), h2Data(1, false, ""), true)},
		{"h2 padding", plainDoor, few, true, floods(h2Start+h2Request(1, false, "POST", "/"), h2Frame(0, 8, 1, "\xff"+filler[:255]), true)},
		{"h2 small windows", plainDoor, few, true,
			floods(h2Start+h2Frame(4, 0, 0, "\x00\x04\x00\x00\x00\x00")+h2Request(1, true, "GET", "/big"), h2Word(8, 1, 1), true)},
		{"h2 rapid reset", plainDoor, few, true, h2Storms(func(id uint32) string { return get(id) + h2Word(3, id, 8) })},
		{"h2 rapid reset of requests to servers", plainDoor, few, true,
			h2Storms(func(id uint32) string { return h2Request(id, true, "GET", "/") + h2Word(3, id, 8) })},
		{"h2 resets that we are made to send", plainDoor, few, true,
			h2Storms(func(id uint32) string { return h2Request(id, true, "GET", "/") + h2Word(8, id, 0) })},
		{"h2 malformed requests", plainDoor, few, true, h2Storms(func(id uint32) string { return h2Frame(1, 5, id, h2Fields("x", "y")) })},
		{"h2 blocks that mean more than they say", plainDoor, few, true, h2Storms(func(id uint32) string { return h2Frame(1, 5, id, bomb) })},
		{"h2 requests for answers of our own", plainDoor, few, true, h2Storms(get)},
	}
}

// h2Storms sends what each gives for one stream after the other, as fast as it is
// taken, and reads what comes.
func h2Storms(each func(id uint32) string) func(*attacker, *net.TCPConn) {
	return func(a *attacker, conn *net.TCPConn) {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for b := make([]byte, burstBytes); ; {
				if _, err := conn.Read(b); err != nil {
					return
				}
				a.step()
			}
		}()
		var burst strings.Builder
		_, err := io.WriteString(conn, h2Start+h2Word(8, 0, 1<<30))
		for id := uint32(1); err == nil; {
			burst.Reset()
			for ; burst.Len() < burstBytes; id += 2 {
				burst.WriteString(each(id))
			}
			a.step()
			_, err = io.WriteString(conn, burst.String())
		}
		<-ended
		a.step()
	}
}
