package expr

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/weir-lb/weir/internal/pattern"
)

// An Arg is one argument of a fetch or converter, checked and ready for use. The
// zero Arg stands for one that was left out.
type Arg struct {
	Set  bool
	Int  int64    // int, ivar, mask4 (bits)
	Text []byte   // str
	Name string   // backend, frontend, server, table, userlist: as written
	Var  *VarName // var, ivar
	IP   netip.Addr
	Mask *addrMask
	Re   *pattern.Regexp
}

// argKind is a type of argument. The words of a row's args column are its keys;
// a word in brackets is optional.
type argKind struct {
	word  string
	parse func(a *Arg, s string) error
}

var argKinds = []argKind{
	{"str", parseStrArg},
	{"int", parseIntArg},
	{"var", parseVarArg},
	{"ivar", parseIntOrVarArg}, // a number or the name of a variable that holds one
	{"ip4", parseIP4Arg},
	{"ip6", parseIP6Arg},
	{"mask4", parseMask4Arg},
	{"mask6", parseMask6Arg},
	{"hex", parseHexArg},
	{"frontend", parseNameArg},
	{"backend", parseNameArg},
	{"server", parseNameArg}, // "backend/server" or "server"
}

func parseStrArg(a *Arg, s string) error {
	a.Text = []byte(s)
	return nil
}

func parseNameArg(a *Arg, s string) error {
	a.Name = s
	return nil
}

func parseIntArg(a *Arg, s string) error {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return fmt.Errorf("%q is not a number", s)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		n = saturated(strings.HasPrefix(s, "-"))
	}
	a.Int = n
	return nil
}

func parseVarArg(a *Arg, s string) error {
	v, err := CompileVarName(s)
	a.Var = v
	return err
}

func parseIntOrVarArg(a *Arg, s string) error {
	if parseIntArg(a, s) == nil {
		return nil
	}
	if parseVarArg(a, s) != nil {
		return fmt.Errorf("%q is neither a number nor the name of a variable", s)
	}
	return nil
}

func parseHexArg(a *Arg, s string) error {
	b, err := hex.DecodeString(s)
	if err != nil {
		return fmt.Errorf("%q is not an even number of hexadecimal digits", s)
	}
	a.Text = b
	return nil
}

func parseIP4Arg(a *Arg, s string) error {
	ip, err := netip.ParseAddr(s)
	if err != nil || !ip.Is4() {
		return fmt.Errorf("%q is not an IPv4 address", s)
	}
	a.IP = ip
	return nil
}

func parseIP6Arg(a *Arg, s string) error {
	ip, err := netip.ParseAddr(s)
	if err != nil || !ip.Is6() || ip.Zone() != "" {
		return fmt.Errorf("%q is not an IPv6 address", s)
	}
	a.IP = ip
	return nil
}

func parseMask4Arg(a *Arg, s string) error { return parseMaskArg(a, s, 32) }
func parseMask6Arg(a *Arg, s string) error { return parseMaskArg(a, s, 128) }

// addrMask is what stays of an address; for IPv4 its last 4 bytes.
type addrMask [16]byte

func parseMaskArg(a *Arg, s string, bits int) error {
	m := new(addrMask)
	a.Mask = m
	if n, err := strconv.ParseUint(s, 10, 8); err == nil && int(n) <= bits {
		for i := range int(n) {
			at := 128 - bits + i
			m[at/8] |= 0x80 >> (at % 8)
		}
		return nil
	}
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.BitLen() != bits {
		return fmt.Errorf("%q is not a mask of %d bits", s, bits)
	}
	if bits == 32 {
		b := ip.As4()
		copy(m[12:], b[:])
		return nil
	}
	*m = ip.As16()
	return nil
}

// compileArgs checks words against a row's args column, such as
// "int str [int]". Missing optional ones give zero Args.
func compileArgs(spec string, words []string) ([]Arg, error) {
	kinds := strings.Fields(spec)
	if len(words) > len(kinds) {
		return nil, fmt.Errorf("%s, got %d", wantArgs(len(kinds)), len(words))
	}
	args := make([]Arg, len(kinds))
	for i, k := range kinds {
		optional := k[0] == '['
		k = strings.Trim(k, "[]")
		if i >= len(words) || words[i] == "" && k != "str" {
			if !optional {
				return nil, fmt.Errorf("argument %d is missing, a %s is expected", i+1, k)
			}
			continue
		}
		args[i].Set = true
		if err := parserOf(k)(&args[i], words[i]); err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return args, nil
}

func wantArgs(n int) string {
	switch n {
	case 0:
		return "no arguments are expected"
	case 1:
		return "at most one argument is expected"
	}
	return fmt.Sprintf("at most %d arguments are expected", n)
}

func parserOf(word string) func(a *Arg, s string) error {
	for i := range argKinds {
		if argKinds[i].word == word {
			return argKinds[i].parse
		}
	}
	panic("expr: a table row has the unknown argument type " + word)
}
