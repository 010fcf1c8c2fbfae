package h2

// A decoder reads header blocks (RFC 7541 section 6). The dynamic table is all
// that it keeps from block to block.
type decoder struct {
	table table
	limit int  // that the table may be set to: what we have announced
	begun bool // a field of the block has come: the size can't change any more
}

// A field is one field of a block. Its text is valid until the next one is read.
type field struct {
	name, value []byte
	kind        fieldKind
}

// next reads the field at the front of b. n is what it took, size updates before
// it included; 0 when the block is over. ok is false when the block can't be
// decoded: RFC 9113 section 4.3 makes that an error of the connection. A string
// longer than the scratch memory can hold counts as that too.
func (d *decoder) next(b []byte, f *field, sc *Scratch) (n int, ok bool) {
	for n < len(b) && b[n]&0xe0 == 0x20 {
		size, used := integer(b[n:], 5)
		if used == 0 || size > d.limit || d.begun {
			return n, false
		}
		d.table.resize(size)
		n += used
	}
	if n == len(b) {
		return 0, true
	}
	if d.table.max > d.limit {
		return 0, false // the client was told of a smaller size and has not followed (RFC 7541 section 4.2)
	}
	d.begun = true
	used := 0
	if b[n]&0x80 != 0 {
		used = d.indexed(b[n:], f)
	} else {
		used = d.literal(b[n:], f, sc)
	}
	return n + used, used > 0
}

// indexed reads a field that stands in a table (RFC 7541 section 6.1).
func (d *decoder) indexed(b []byte, f *field) int {
	i, used := integer(b, 7)
	switch {
	case used == 0 || i == 0:
		return 0
	case i <= staticCount:
		e := &static[i]
		*f = field{e.name, e.value, e.kind}
		return used
	case i-staticCount > d.table.n:
		return 0
	}
	e := d.table.at(i - staticCount - 1)
	*f = field{d.table.nameOf(e), d.table.valueOf(e), e.kind}
	return used
}

// literal reads a field of which at least the value is spelt out (RFC 7541
// section 6.2).
func (d *decoder) literal(b []byte, f *field, sc *Scratch) int {
	prefix := uint(4)
	keep := b[0]&0x40 != 0
	if keep {
		prefix = 6
	}
	i, n := integer(b, prefix)
	if n == 0 {
		return 0
	}
	switch {
	case i == 0:
		var used int
		if f.name, used = text(b[n:], &sc.name); used == 0 {
			return 0
		}
		n += used
	case i <= staticCount:
		f.name = static[i].name
	case i-staticCount > d.table.n:
		return 0
	default:
		// A copy: adding may move what stands in the table, or drop it.
		name := d.table.nameOf(d.table.at(i - staticCount - 1))
		sc.name = append(sc.name[:0], name...)
		f.name = sc.name
	}
	value, used := text(b[n:], &sc.value)
	if used == 0 {
		return 0
	}
	f.value = value
	if i > 0 && i <= staticCount {
		f.kind = static[i].kind
		if f.kind.wrong = ReasonNone; !validValue(value) {
			f.kind.wrong = ReasonValue
		}
	} else {
		f.kind = kindOf(f.name, value)
	}
	if keep {
		d.table.add(f.name, f.value, f.kind)
	}
	return n + used
}

// text reads a string (RFC 7541 section 5.2); used is 0 when there is no whole one,
// or it is too long.
func text(b []byte, scratch *[]byte) (s []byte, used int) {
	if len(b) == 0 {
		return nil, 0
	}
	size, n := integer(b, 7)
	if n == 0 || size > len(b)-n {
		return nil, 0
	}
	s = b[n : n+size]
	if b[0]&0x80 != 0 {
		var ok bool
		if s, ok = appendHuffmanDecoded((*scratch)[:0], s, 2*size); !ok { // no code is shorter than 5 bits
			return nil, 0
		}
		*scratch = s
	}
	return s, n + size
}

const (
	integerMax   = 1 << 24 // nothing that we are told in a block is larger
	integerBytes = 6       // of one, zeros that only make it longer included
)

// integer reads a number that begins in the low bits of b[0] (RFC 7541 section
// 5.1); used is 0 when it is not whole, or too large.
func integer(b []byte, prefix uint) (v, used int) {
	if len(b) == 0 {
		return 0, 0
	}
	mask := 1<<prefix - 1
	v = int(b[0]) & mask
	if v < mask {
		return v, 1
	}
	for i := 1; i < len(b) && i < integerBytes; i++ {
		v += int(b[i]&0x7f) << (7 * (i - 1))
		if b[i]&0x80 == 0 {
			if v > integerMax {
				return 0, 0
			}
			return v, i + 1
		}
	}
	return 0, 0
}

// appendInteger appends v behind the bits of first (RFC 7541 section 5.1).
func appendInteger(dst []byte, first byte, prefix uint, v int) []byte {
	mask := 1<<prefix - 1
	if v < mask {
		return append(dst, first|byte(v))
	}
	dst = append(dst, first|byte(mask))
	for v -= mask; v >= 0x80; v >>= 7 {
		dst = append(dst, byte(v)|0x80)
	}
	return append(dst, byte(v))
}
