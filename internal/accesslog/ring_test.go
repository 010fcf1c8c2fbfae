package accesslog

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// A ring against a list: records of all sizes, over many turns of the ring.
func TestRingAgainstAModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	r := newRing()
	var model [][]byte
	var place uint64
	dropped := uint64(0)
	for range 20000 {
		if rng.IntN(100) < 60 {
			line := bytes.Repeat([]byte{byte(rng.Uint32())}, rng.IntN(1<<rng.IntN(16)))
			if r.put(&record{time: int64(len(line)), level: Level(len(line) % 8), text: line, data: line[:len(line)/3]}) {
				model = append(model, line)
			} else {
				dropped++
			}
			continue
		}
		rec, next, ok := r.get(place)
		if ok != (len(model) > 0) {
			t.Fatalf("get says %v with %d lines waiting", ok, len(model))
		}
		if !ok {
			continue
		}
		want := model[0]
		model = model[1:]
		if !bytes.Equal(rec.text, want) || len(rec.data) != len(want)/3 || rec.time != int64(len(want)) || rec.level != Level(len(want)%8) {
			t.Fatalf("got %d bytes of text, %d of data, want %d", len(rec.text), len(rec.data), len(want))
		}
		r.free(next)
		place = next
	}
	if r.dropped.Load() != dropped || dropped == 0 {
		t.Errorf("%d lines counted as dropped, %d were", r.dropped.Load(), dropped)
	}
	if r.lost() != dropped || r.lost() != 0 {
		t.Error("lost tells other numbers, or tells twice")
	}
}

func TestALineLongerThanTheRingIsLost(t *testing.T) {
	r := newRing()
	if r.put(&record{text: make([]byte, ringBytes)}) {
		t.Error("it is taken")
	}
	if !r.put(&record{text: []byte("x")}) {
		t.Error("afterwards nothing is taken")
	}
}
