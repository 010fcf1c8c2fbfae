package h1

import "github.com/weir-lb/weir/internal/message"

// fields reads field lines up to the empty line that ends the head. Lines that
// are whole and plain go the short way; a line that is cut off by the end of b
// is read again once, by fieldLine, which can go on in its middle.
func (p *Parser) fields(b []byte, h *message.Head, lim *Limits) Status {
	for p.state != stateEnd {
		st := Complete
		if p.state == stateLine {
			st = p.plainLines(b, h, lim)
		}
		if st == Complete && p.state != stateEnd {
			st = p.fieldLine(b, h, lim)
		}
		if st != Complete {
			return st
		}
	}
	return Complete
}

// plainLines reads whole lines without folds as long as there are any, and the
// empty line after them. It leaves everything else at p.pos to fieldLine.
func (p *Parser) plainLines(b []byte, h *message.Head, lim *Limits) Status {
	i := p.pos
	for {
		colon := scanToken(b, i)
		if colon >= len(b) || b[colon] != ':' || colon == i {
			break
		}
		from := colon + 1
		if from < len(b) && b[from] == ' ' {
			from++
		}
		from = skipBlanks(b, from)
		end := scanValue(b, from)
		if end+1 >= len(b) || b[end] != '\r' || b[end+1] != '\n' {
			break
		}
		p.name = span(i, colon)
		if st := p.addField(b, h, lim, span(from, end)); st != Complete {
			return st
		}
		i = end + 2
	}
	if i+1 < len(b) && b[i] == '\r' && b[i+1] == '\n' {
		i += 2
		p.state = stateEnd
	}
	p.pos = i
	return Complete
}

// fieldLine reads one line, or the rest of it, from p.pos.
func (p *Parser) fieldLine(b []byte, h *message.Head, lim *Limits) Status {
	loose := lim.loose()
	i := p.pos
	if i == len(b) {
		return NeedMore
	}
	switch p.state {
	case stateLine:
		if st := p.beginLine(b[i], i, h, loose); st != Complete || p.state == stateEnd {
			return st
		}
		if p.state == stateLastLF {
			return p.lineFeed(b, i+1)
		}
		if p.state == stateBlank {
			return p.value(b, i+1, h, lim)
		}
		fallthrough
	case stateName:
		i = scanName(b, i, loose)
		if i == len(b) {
			return p.more(i)
		}
		if b[i] != ':' || i == p.mark {
			return p.fail(i, ReasonName)
		}
		p.name, p.state = span(p.mark, i), stateBlank
		i++
		fallthrough
	case stateBlank, stateValue:
		return p.value(b, i, h, lim)
	case stateLF, stateLastLF:
		return p.lineFeed(b, i)
	}
	panic("h1: fieldLine in another state")
}

// beginLine judges the first byte of a line, at i, and sets the state.
func (p *Parser) beginLine(c byte, i int, h *message.Head, loose bool) Status {
	switch {
	case message.IsToken(c) || loose && message.IsLoose(c) && c != ':':
		p.mark, p.state = i, stateName
		return Complete
	case c == '\r':
		p.state = stateLastLF
		return Complete
	case c == '\n' && loose:
		p.pos, p.state = i+1, stateEnd
		return Complete
	case c == '\n':
		return p.fail(i, ReasonLineEnd)
	case c != ' ' && c != '\t':
		return p.fail(i, ReasonName)
	}
	// RFC 9112 section 5.2 lets us refuse a folded line or replace the fold.
	// HAProxy replaces; we refuse unless asked (security.md: refuse instead of
	// repair), and always behind a field that the parser itself acts on.
	n := len(h.Fields)
	if !loose || n == 0 || h.Fields[n-1].ID != message.FieldOther {
		return p.fail(i, ReasonFold)
	}
	p.folding, p.state = true, stateBlank
	return Complete
}

// value reads blanks, a value and the line end from i.
func (p *Parser) value(b []byte, i int, h *message.Head, lim *Limits) Status {
	if p.state == stateBlank {
		if i = skipBlanks(b, i); i == len(b) {
			return p.more(i)
		}
		p.mark, p.state = i, stateValue
	}
	i = scanValue(b, i)
	if i == len(b) {
		return p.more(i)
	}
	switch {
	case b[i] == '\n' && !lim.loose():
		return p.fail(i, ReasonLineEnd)
	case b[i] != '\n' && b[i] != '\r':
		return p.fail(i, ReasonValue)
	}
	st := Complete
	if p.folding {
		p.unfold(h, trimmed(b, p.mark, i))
	} else {
		st = p.addField(b, h, lim, span(p.mark, i))
	}
	if st != Complete {
		return st
	}
	if b[i] == '\n' {
		p.pos, p.state = i+1, stateLine
		return Complete
	}
	p.state = stateLF
	return p.lineFeed(b, i+1)
}

// lineFeed takes the LF at i of a field line or of the last empty line.
func (p *Parser) lineFeed(b []byte, i int) Status {
	if i == len(b) {
		return p.more(i)
	}
	if b[i] != '\n' {
		return p.fail(i, ReasonLineEnd)
	}
	if p.state == stateLastLF {
		p.state = stateEnd
	} else {
		p.state = stateLine
	}
	p.pos = i + 1
	return Complete
}

// addField takes the field p.name with the value, blanks after it included.
func (p *Parser) addField(b []byte, h *message.Head, lim *Limits, value message.Span) Status {
	for value.Len > 0 {
		if c := b[value.End()-1]; c != ' ' && c != '\t' {
			break
		}
		value.Len--
	}
	if len(h.Fields)+1 >= lim.fieldsMax() {
		return p.fail(int(p.name.Off), ReasonFields)
	}
	id := message.FieldIDOf(b[p.name.Off:p.name.End()])
	h.Fields = append(h.Fields, message.Field{Name: p.name, Value: value, ID: id})
	if id != message.FieldOther && !p.trailer {
		if why := p.known(h, id, lim); why != ReasonNone {
			return p.fail(int(value.Off), why)
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
