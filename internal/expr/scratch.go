package expr

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/weir-lb/weir/internal/pattern"
)

const (
	resultMax    = 64 << 10 // bytes of what one converter gives; a longer result fails
	scratchBytes = 4 << 10  // bytes a Scratch begins with
	scratchMax   = 1 << 20  // bytes it may grow to
)

// A Scratch is the working memory that one loop lends to all evaluations on it.
// Only that loop may use it.
type Scratch struct {
	buf   []byte // results of converters, until the next evaluation
	rng   *rand.ChaCha8
	dates dateCache
	sets  []*varSet // free

	machine pattern.Machine // groups of regular expressions
}

// NewScratch returns working memory for one loop. The seed feeds the rand and
// uuid fetches.
func NewScratch(seed uint64) *Scratch {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return &Scratch{buf: make([]byte, 0, scratchBytes), rng: rand.NewChaCha8(key)}
}

// reset makes all the memory free again; values of earlier evaluations end here.
func (s *Scratch) reset() { s.buf = s.buf[:0] }

// room returns an empty slice with room for n bytes, or nil when that is more
// than may be used. Bytes appended to it, up to n, are kept by keep.
func (s *Scratch) room(n int) []byte {
	if n > resultMax || len(s.buf)+n > scratchMax {
		return nil
	}
	if cap(s.buf)-len(s.buf) < n {
		// Earlier results keep the old array alive as long as they need it.
		s.buf = make([]byte, 0, min(max(2*cap(s.buf), n), scratchMax))
	}
	return s.buf[len(s.buf):len(s.buf):cap(s.buf)]
}

// keep claims p, which was made by appending to room's answer.
func (s *Scratch) keep(p []byte) []byte {
	s.buf = s.buf[:len(s.buf)+len(p)]
	return p[:len(p):len(p)]
}

func (s *Scratch) takeVars() *varSet {
	if n := len(s.sets); n > 0 {
		v := s.sets[n-1]
		s.sets = s.sets[:n-1]
		return v
	}
	return &varSet{}
}

func (s *Scratch) putVars(v *varSet) {
	if len(s.sets) >= varPoolMax || cap(v.vars) > 16 {
		return // large ones are left to the collector
	}
	for i := range v.vars {
		if cap(v.vars[i].text) > 1024 {
			v.vars[i].text = nil
		}
	}
	v.vars, v.bytes = v.vars[:0], 0
	s.sets = append(s.sets, v)
}
