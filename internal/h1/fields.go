package h1

import "github.com/weir-lb/weir/internal/message"

// fields reads field lines up to the empty line that ends the head.
func (p *Parser) fields(b []byte, h *message.Head, lim *Limits) Status {
	lenient := lim.loose()
	i := p.pos
	for {
		switch p.state {
		case stateLine:
			if i == len(b) {
				return p.more(i)
			}
			if c := b[i]; !message.IsToken(c) {
				if c == '\r' {
					i++
					p.state = stateLastLF
					continue
				}
				if st := p.oddLine(b, i, h, lenient); st != NeedMore {
					return st
				}
				if p.folding {
					i++
					continue
				}
			}
			p.mark, p.state = i, stateName
			fallthrough
		case stateName:
			i = scanName(b, i, lenient)
			if i == len(b) {
				return p.more(i)
			}
			if b[i] != ':' || i == p.mark {
				return p.fail(i, ReasonName)
			}
			p.name = span(p.mark, i)
			i++
			p.state = stateBlank
			fallthrough
		case stateBlank:
			for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
				i++
			}
			if i == len(b) {
				return p.more(i)
			}
			p.mark, p.state = i, stateValue
			fallthrough
		case stateValue:
			i = scanValue(b, i)
			if i == len(b) {
				return p.more(i)
			}
			if st := p.endValue(b, i, h, lim); st != Complete {
				return st
			}
			if b[i] == '\n' {
				i++
				p.state = stateLine
				continue
			}
			i++
			p.state = stateLF
			fallthrough
		case stateLF, stateLastLF:
			if i == len(b) {
				return p.more(i)
			}
			if b[i] != '\n' {
				return p.fail(i, ReasonLineEnd)
			}
			i++
			if p.state == stateLastLF {
				p.pos = i
				return Complete
			}
			p.state = stateLine
		default:
			panic("h1: fields in an earlier state")
		}
	}
}

// oddLine judges a line that does not begin with a letter of a name, at i:
// NeedMore means go on.
func (p *Parser) oddLine(b []byte, i int, h *message.Head, lenient bool) Status {
	c := b[i]
	switch {
	case c == '\n' && lenient:
		p.pos = i + 1
		return Complete
	case c == '\n':
		return p.fail(i, ReasonLineEnd)
	case c == ' ' || c == '\t':
		// RFC 9112 section 5.2 lets us refuse a folded line or replace the fold.
		// HAProxy replaces; we refuse unless asked (security.md: refuse instead
		// of repair), and always for fields that the parser itself acts on.
		n := len(h.Fields)
		if !lenient || n == 0 || h.Fields[n-1].ID != message.FieldOther {
			return p.fail(i, ReasonFold)
		}
		p.folding, p.state = true, stateBlank
		return NeedMore
	case lenient && c != ':' && message.IsLoose(c):
		return NeedMore
	}
	return p.fail(i, ReasonName)
}

// endValue takes the value [p.mark,i) whose line ends at i.
func (p *Parser) endValue(b []byte, i int, h *message.Head, lim *Limits) Status {
	if c := b[i]; c != '\r' {
		if c != '\n' {
			return p.fail(i, ReasonValue)
		}
		if !lim.loose() {
			return p.fail(i, ReasonLineEnd)
		}
	}
	end := i
	for end > p.mark && (b[end-1] == ' ' || b[end-1] == '\t') {
		end--
	}
	value := span(p.mark, end)
	if p.folding {
		p.unfold(h, value)
		return Complete
	}
	if len(h.Fields)+1 >= lim.fieldsMax() {
		return p.fail(int(p.name.Off), ReasonFields)
	}
	name := b[p.name.Off:p.name.End()]
	id := message.FieldIDOf(name)
	h.Fields = append(h.Fields, message.Field{Name: p.name, Value: value, ID: id})
	if id != message.FieldOther {
		if why := p.known(h, id, lim); why != ReasonNone {
			return p.fail(p.mark, why)
		}
	}
	return Complete
}

// unfold joins a continuation to the last field's value with one blank. The
// joined value grows at the end of Extra.
func (p *Parser) unfold(h *message.Head, more message.Span) {
	p.folding = false
	f := &h.Fields[len(h.Fields)-1]
	if !f.Value.InExtra() {
		f.Value = h.Keep(h.Text(f.Value))
	}
	if more.Len == 0 {
		return
	}
	h.Extra = append(h.Extra, ' ')
	h.Extra = append(h.Extra, h.Text(more)...)
	f.Value.Len += 1 + more.Len
}
