package expr

import (
	"net/netip"

	"github.com/weir-lb/weir/internal/message"
)

// Kind is the type of a Value.
type Kind uint8

const (
	KindNone   Kind = iota // no value at all
	KindBool               // Int is 0 or 1
	KindInt                // Int, signed 64 bits
	KindIP                 // IP, version 4 or 6
	KindStr                // Bytes, meant to be text
	KindBin                // Bytes, any
	KindMethod             // Int is a message.Method, Bytes its text
	KindAny                // only at compile time: known when the program runs (variables)
)

// String returns the manual's name of the type.
func (k Kind) String() string {
	return [...]string{"none", "boolean", "integer", "ip", "string", "binary", "method", "any"}[k]
}

// A Value is what a fetch or a converter gives. Its Bytes point into the
// request, into constants of the program or into scratch memory: they are valid
// until the next evaluation with the same Env.
type Value struct {
	Kind  Kind
	Int   int64
	IP    netip.Addr
	Bytes []byte
}

// Bool, Int, IP, Str and Bin make a Value.
func Bool(b bool) Value {
	if b {
		return Value{Kind: KindBool, Int: 1}
	}
	return Value{Kind: KindBool}
}

func Int(n int64) Value     { return Value{Kind: KindInt, Int: n} }
func IP(a netip.Addr) Value { return Value{Kind: KindIP, IP: a} }
func Str(b []byte) Value    { return Value{Kind: KindStr, Bytes: b} }
func Bin(b []byte) Value    { return Value{Kind: KindBin, Bytes: b} }

// MethodValue makes the Value of a request's method.
func MethodValue(m message.Method, text []byte) Value {
	return Value{Kind: KindMethod, Int: int64(m), Bytes: text}
}

// True reports whether v is a boolean or an integer other than zero.
func (v Value) True() bool { return (v.Kind == KindBool || v.Kind == KindInt) && v.Int != 0 }
