package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// expandBare resolves variables in an address that stands outside of quotes:
// there HAProxy resolves them when it reads the address (manual 2.3).
func expandBare(text string, env *environment) string {
	var out strings.Builder
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 {
			break
		}
		out.WriteString(text[:i])
		v, n, problem := scanVariable(text[i:])
		if problem != "" || strings.HasPrefix(v.name, ".") || v.list {
			out.WriteByte('$')
			text = text[i+1:]
			continue
		}
		value, ok := env.lookup(v.name)
		if !ok {
			value = v.fallback
		}
		out.WriteString(value)
		text = text[i+n:]
	}
	out.WriteString(text)
	return out.String()
}

// addressUse says what an address is for: what it may be.
type addressUse uint8

const (
	bindAddress     addressUse = iota // a stream that is listened on; a port is needed, a range may be
	logAddress                        // datagrams; the port is 514 if none is given
	portlessAddress                   // an address whose port may be missing: addr of a check
)

// An addressParts is an address taken apart (manual chapter 11).
type addressParts struct {
	prefix     string // "ipv4", "unix", ...; empty: by its form
	stream     bool   // said so
	host       string
	port       string
	path       string // of a UNIX socket, or a descriptor's number
	first      int
	last       int
	descriptor bool
}

var streamPrefixes = []string{"ip", "ipv4", "ipv6", "tcp", "tcp4", "tcp6", "unix", "uxst", "abns", "abnsz", "fd"}
var datagramPrefixes = []string{"ip", "ipv4", "ipv6", "udp", "udp4", "udp6", "unix", "uxdg", "abns", "fd", "tcp", "tcp4", "tcp6", "uxst"}

// parseAddress checks an address of a bind, stats socket or log line.
func parseAddress(text string, use addressUse) (addressParts, error) {
	var a addressParts
	rest := text
	if kind, after, ok := strings.Cut(rest, "+"); ok && (kind == "stream" || kind == "dgram" || kind == "quic") {
		if kind == "quic" || kind == "dgram" && use == bindAddress {
			return a, fmt.Errorf("%s: datagrams and QUIC are not supported here yet; a TCP or UNIX stream address is", quote(text))
		}
		a.stream, rest = kind == "stream", after
	}
	if prefix, after, ok := strings.Cut(rest, "@"); ok && !strings.ContainsAny(prefix, "/:.[") {
		allowed := streamPrefixes
		if use == logAddress {
			allowed = datagramPrefixes
		}
		if err := oneOf(prefix, allowed...); err != nil {
			return a, fmt.Errorf("%s: the prefix %s@ can't be used here; known are %s", quote(text), prefix, strings.Join(allowed, "@ ")+"@")
		}
		a.prefix, rest = prefix, after
	}
	switch {
	case a.prefix == "fd":
		a.descriptor, a.path = true, rest
		if _, err := strconv.ParseUint(rest, 10, 31); err != nil {
			return a, fmt.Errorf("%s: fd@ wants the number of a descriptor, got %s", quote(text), quote(rest))
		}
		return a, nil
	case a.prefix == "unix" || a.prefix == "uxst" || a.prefix == "uxdg" || strings.HasPrefix(a.prefix, "abns"), strings.HasPrefix(rest, "/"):
		a.path = rest
		if rest == "" || len(rest) > unixPathMax {
			return a, fmt.Errorf("%s: a UNIX socket's path has 1 to %d bytes", quote(text), unixPathMax)
		}
		return a, nil
	}
	return a, a.hostPort(text, rest, use)
}

const unixPathMax = 107 // bytes of sun_path less its zero

// hostPort splits at the last colon: what follows is the port.
func (a *addressParts) hostPort(text, rest string, use addressUse) error {
	a.host = rest
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		a.host, a.port = rest[:i], rest[i+1:]
	}
	if err := a.checkHost(text); err != nil {
		return err
	}
	switch {
	case a.port == "" && use == bindAddress:
		return fmt.Errorf("%s: a port is missing, such as %s:80", quote(text), a.host)
	case a.port == "":
		return nil
	}
	first, last, isRange := strings.Cut(a.port, "-")
	var err1, err2 error
	a.first, err1 = portNumber(first)
	a.last = a.first
	if isRange {
		a.last, err2 = portNumber(last)
	}
	switch {
	case err1 != nil || err2 != nil || a.last < a.first:
		return fmt.Errorf("%s: a port is a number from 1 to 65535, a range goes upwards, got %s", quote(text), quote(a.port))
	case isRange && use != bindAddress:
		return fmt.Errorf("%s: a range of ports can't be used here", quote(text))
	}
	return nil
}

func portNumber(text string) (int, error) { return parseInteger(text, 1, 65535) }

// checkHost accepts an IP address, nothing, * or what can be a host name.
func (a *addressParts) checkHost(text string) error {
	host := a.host
	if host == "" || host == "*" {
		return nil
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	ip, err := netip.ParseAddr(bare)
	v4 := strings.HasSuffix(a.prefix, "4")
	v6 := strings.HasSuffix(a.prefix, "6")
	switch {
	case err == nil && (v4 && !ip.Is4() || v6 && ip.Is4() || bare != host && ip.Is4()):
		return fmt.Errorf("%s: %s is not an address of the family that is asked for", quote(text), quote(host))
	case err == nil:
		return nil
	case a.port == "" && strings.Trim(host, "0123456789-") == "":
		return fmt.Errorf("%s: a port stands behind a colon, such as :%s", quote(text), host)
	case bare != host || strings.Trim(bare, "0123456789.") == "" || !hostName(bare):
		return fmt.Errorf("%s: %s is neither an IP address nor a host name", quote(text), quote(host))
	}
	return nil
}

func hostName(s string) bool {
	for _, b := range []byte(s) {
		if !isLetter(b) && !isDigit(b) && b != '-' && b != '.' {
			return false
		}
	}
	return len(s) <= 255
}
