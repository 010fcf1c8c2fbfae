package expr

import (
	"bytes"
	"fmt"
	"net/netip"
	"unsafe"
)

// convIPMask keeps the masked part of an address. An IPv4 address mapped into
// IPv6 counts as IPv4; another IPv6 one fails without a second mask.
func convIPMask(_ *Env, in Value, a []Arg) (Value, bool) {
	ip := in.IP.Unmap()
	if ip.Is4() {
		b, m := ip.As4(), a[0].Mask
		for i := range b {
			b[i] &= m[12+i]
		}
		return IP(netip.AddrFrom4(b)), true
	}
	if !a[1].Set {
		return Value{}, false
	}
	b, m := ip.As16(), a[1].Mask
	for i := range b {
		b[i] &= m[i]
	}
	return IP(netip.AddrFrom16(b)), true
}

// nameOf views b as a string for a look-up that does not keep it.
func nameOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func convUsable(env *Env, in Value, _ []Arg) (Value, bool) {
	if env.Live == nil || len(in.Bytes) == 0 {
		return Value{}, false
	}
	b, ok := env.Live.LiveBackend(env, nameOf(in.Bytes))
	return Int(int64(b.Usable)), ok
}

func convServerQueue(env *Env, in Value, _ []Arg) (Value, bool) {
	if env.Live == nil || len(in.Bytes) == 0 {
		return Value{}, false
	}
	var backend []byte
	server := in.Bytes
	if i := bytes.IndexByte(server, '/'); i >= 0 {
		backend, server = server[:i], server[i+1:]
	}
	s, ok := env.Live.LiveServer(env, nameOf(backend), nameOf(server))
	return Int(int64(s.Queued)), ok
}

func convCaptureReq(env *Env, in Value, a []Arg) (Value, bool) {
	if env.Rec != nil {
		env.Rec.ReqCaptures.Set(int(a[0].Int), in.Bytes)
	}
	return in, true
}

func convCaptureRes(env *Env, in Value, a []Arg) (Value, bool) {
	if env.Rec != nil {
		env.Rec.ResCaptures.Set(int(a[0].Int), in.Bytes)
	}
	return in, true
}

// Conditions of set-var, a set of bits in the first argument's Int.
const (
	varIfExists int64 = 1 << iota
	varIfNotExists
	varIfEmpty
	varIfNotEmpty
	varIfSet
	varIfNotSet
	varIfGreater
	varIfLess
)

// varConditions gives the bits of conditions by name.
var varConditions = []struct {
	name string
	bit  int64
}{
	{"ifexists", varIfExists}, {"ifnotexists", varIfNotExists}, {"ifempty", varIfEmpty}, {"ifnotempty", varIfNotEmpty},
	{"ifset", varIfSet}, {"ifnotset", varIfNotSet}, {"ifgt", varIfGreater}, {"iflt", varIfLess},
}

func checkSetVar(a []Arg) error {
	for _, word := range a[1:] {
		if !word.Set {
			continue
		}
		bit, err := varCondition(string(word.Text))
		if err != nil {
			return err
		}
		a[0].Int |= bit
	}
	return nil
}

func varCondition(s string) (int64, error) {
	for _, c := range varConditions {
		if c.name == s {
			return c.bit, nil
		}
	}
	return 0, fmt.Errorf("%q is not a condition of set-var", s)
}

// convSetVar fails when a condition does not hold or a limit is reached.
func convSetVar(env *Env, in Value, a []Arg) (Value, bool) {
	if c := a[0].Int; c != 0 && !varHolds(env, in, a[0].Var, c) {
		return Value{}, false
	}
	return in, env.SetVar(a[0].Var, in)
}

func varHolds(env *Env, in Value, name *VarName, conds int64) bool {
	old, set := env.GetVar(name)
	exists := set || name.Scope == ScopeProc
	text := in.Kind == KindStr || in.Kind == KindBin || in.Kind == KindMethod
	empty := text && len(in.Bytes) == 0
	numbers := set && old.Kind == KindInt && in.Kind == KindInt
	switch {
	case conds&varIfExists != 0 && !exists, conds&varIfNotExists != 0 && exists,
		conds&varIfEmpty != 0 && !empty, conds&varIfNotEmpty != 0 && empty,
		conds&varIfSet != 0 && !set, conds&varIfNotSet != 0 && set,
		conds&varIfGreater != 0 && numbers && old.Int <= in.Int,
		conds&varIfLess != 0 && numbers && old.Int >= in.Int:
		return false
	}
	return true
}

func convUnsetVar(env *Env, in Value, a []Arg) (Value, bool) {
	env.UnsetVar(a[0].Var)
	return in, true
}
