package expr

import (
	"encoding/base64"
	"fmt"
	"strconv"
)

func convHex(env *Env, in Value, _ []Arg) (Value, bool) {
	p := env.Scratch.room(2 * len(in.Bytes))
	if p == nil {
		return Value{}, false
	}
	for _, c := range in.Bytes {
		p = append(p, upperDigits[c>>4], upperDigits[c&15])
	}
	return Str(env.Scratch.keep(p)), true
}

// convHex2i reads all of the text; a number that is too long loses its first
// digits.
func convHex2i(_ *Env, in Value, _ []Arg) (Value, bool) {
	n := uint64(0)
	for _, c := range in.Bytes {
		d := unhex(c)
		if d < 0 {
			return Value{}, false
		}
		n = n<<4 | uint64(d)
	}
	return Int(int64(n)), true
}

func convBase64(env *Env, in Value, _ []Arg) (Value, bool) {
	return encode64(env, base64.StdEncoding, in.Bytes)
}

func convUB64enc(env *Env, in Value, _ []Arg) (Value, bool) {
	return encode64(env, base64.RawURLEncoding, in.Bytes)
}

func encode64(env *Env, enc *base64.Encoding, b []byte) (Value, bool) {
	p := env.Scratch.room(enc.EncodedLen(len(b)))
	if p == nil {
		return Value{}, false
	}
	return Str(env.Scratch.keep(enc.AppendEncode(p, b))), true
}

func convB64dec(env *Env, in Value, _ []Arg) (Value, bool) {
	return decode64(env, base64.StdEncoding, in.Bytes)
}

func convUB64dec(env *Env, in Value, _ []Arg) (Value, bool) {
	b := in.Bytes
	for len(b) > 0 && b[len(b)-1] == '=' && len(in.Bytes)%4 == 0 {
		b = b[:len(b)-1]
	}
	return decode64(env, base64.RawURLEncoding, b)
}

func decode64(env *Env, enc *base64.Encoding, b []byte) (Value, bool) {
	p := env.Scratch.room(enc.DecodedLen(len(b)))
	if p == nil || hasLineBreak(b) {
		return Value{}, false
	}
	n, err := enc.Decode(p[:enc.DecodedLen(len(b))], b)
	if err != nil {
		return Value{}, false
	}
	return Bin(env.Scratch.keep(p[:n])), true
}

// hasLineBreak: package base64 would pass over them.
func hasLineBreak(b []byte) bool {
	for _, c := range b {
		if c == '\r' || c == '\n' {
			return true
		}
	}
	return false
}

// convURLDec fails on a percent sign without two hexadecimal digits. A plus is a
// space after a question mark, and everywhere when the argument says that the
// text is a form.
func convURLDec(env *Env, in Value, a []Arg) (Value, bool) {
	p := env.Scratch.room(len(in.Bytes))
	if p == nil {
		return Value{}, false
	}
	form := a[0].Int != 0
	b := in.Bytes
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '+' && form:
			c = ' '
		case c == '?':
			form = true
		case c == '%':
			if i+2 >= len(b) || unhex(b[i+1]) < 0 || unhex(b[i+2]) < 0 {
				return Value{}, false
			}
			c = byte(unhex(b[i+1])<<4 | unhex(b[i+2]))
			i += 2
		}
		p = append(p, c)
	}
	return Str(env.Scratch.keep(p)), true
}

func checkURLEnc(a []Arg) error {
	if a[0].Set && string(a[0].Text) != "query" {
		return fmt.Errorf("encoding %q is not known, only \"query\" is", a[0].Text)
	}
	return nil
}

func convURLEnc(env *Env, in Value, _ []Arg) (Value, bool) {
	p := env.Scratch.room(3 * len(in.Bytes))
	if p == nil {
		return Value{}, false
	}
	for _, c := range in.Bytes {
		if isAlnum(c) || c == '-' || c == '.' || c == '_' || c == '~' {
			p = append(p, c)
		} else {
			p = append(p, '%', upperDigits[c>>4], upperDigits[c&15])
		}
	}
	return Str(env.Scratch.keep(p)), true
}

const chunkMax = 8 // bytes of one number of be2dec

func checkBe2dec(a []Arg) error {
	if a[1].Int < 1 || a[1].Int > chunkMax {
		return fmt.Errorf("the size of a chunk must be 1 to %d bytes", chunkMax)
	}
	return nil
}

func checkBe2hex(a []Arg) error {
	if a[0].Set && len(a[0].Text) > 0 && a[1].Int < 1 || a[1].Int < 0 {
		return fmt.Errorf("the size of a chunk must be 1 or more bytes")
	}
	return nil
}

func convBe2dec(env *Env, in Value, a []Arg) (Value, bool) {
	size := int(a[1].Int)
	p := env.Scratch.room((len(in.Bytes)/size + 1) * (len(a[0].Text) + intTextMax))
	if p == nil {
		return Value{}, false
	}
	for i := 0; i < len(in.Bytes); i += size {
		end := min(i+size, len(in.Bytes))
		if end-i < size && a[2].Int != 0 {
			break
		}
		if i > 0 {
			p = append(p, a[0].Text...)
		}
		n := uint64(0)
		for _, c := range in.Bytes[i:end] {
			n = n<<8 | uint64(c)
		}
		p = strconv.AppendUint(p, n, 10)
	}
	return Str(env.Scratch.keep(p)), true
}

func convBe2hex(env *Env, in Value, a []Arg) (Value, bool) {
	size := int(a[1].Int)
	if size == 0 {
		size = max(len(in.Bytes), 1)
	}
	p := env.Scratch.room(2*len(in.Bytes) + len(in.Bytes)/size*len(a[0].Text))
	if p == nil {
		return Value{}, false
	}
	for i := 0; i < len(in.Bytes); i += size {
		end := min(i+size, len(in.Bytes))
		if end-i < size && a[2].Int != 0 {
			break
		}
		if i > 0 {
			p = append(p, a[0].Text...)
		}
		for _, c := range in.Bytes[i:end] {
			p = append(p, upperDigits[c>>4], upperDigits[c&15])
		}
	}
	return Str(env.Scratch.keep(p)), true
}
