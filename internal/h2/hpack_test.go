package h2

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decodeAll decodes a block to lines; ok is false when that fails.
func decodeAll(d *decoder, b []byte) (lines string, ok bool) {
	sc := NewScratch(1<<16, 100)
	d.begun = false
	for {
		var f field
		n, ok := d.next(b, &f, sc)
		if !ok || n == 0 {
			return lines, ok
		}
		lines += string(f.name) + ": " + string(f.value) + "\n"
		b = b[n:]
	}
}

func newDecoder(size int) *decoder { return &decoder{limit: size, table: table{max: size}} }

// The examples of RFC 7541 appendix C; those of a number come one after the other.
func TestDecoderReadsTheExamplesOfTheRFC(t *testing.T) {
	var shared *decoder
	for _, tc := range []struct {
		name, block string
		max         int
		fresh       bool
		want        string
		size        int
	}{
		{"C.2.1", "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", 4096, true, "custom-key: custom-header\n", 55},
		{"C.2.2", "040c 2f73 616d 706c 652f 7061 7468", 4096, true, ":path: /sample/path\n", 0},
		{"C.2.3", "1008 7061 7373 776f 7264 0673 6563 7265 74", 4096, true, "password: secret\n", 0},
		{"C.2.4", "82", 4096, true, ":method: GET\n", 0},
		{"C.3.1", "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", 4096, true,
			":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n", 57},
		{"C.3.2", "8286 84be 5808 6e6f 2d63 6163 6865", 4096, false,
			":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache\n", 110},
		{"C.3.3", "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", 4096, false,
			":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n", 164},
		{"C.4.1", "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", 4096, true,
			":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n", 57},
		{"C.4.2", "8286 84be 5886 a8eb 1064 9cbf", 4096, false,
			":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache\n", 110},
		{"C.4.3", "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", 4096, false,
			":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n", 164},
		{"C.5.1", "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", 256, true,
			":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n", 222},
		{"C.5.2", "4803 3330 37c1 c0bf", 256, false,
			":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n", 222},
		{"C.6.1", "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3", 256, true,
			":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n", 222},
		{"C.6.2", "4883 640e ffc1 c0bf", 256, false,
			":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n", 222},
	} {
		if tc.fresh {
			shared = newDecoder(tc.max)
		}
		got, ok := decodeAll(shared, unhex(t, tc.block))
		if !ok || got != tc.want || shared.table.size != tc.size {
			t.Errorf("%s: %q %v, table %d; want %q, table %d", tc.name, got, ok, shared.table.size, tc.want, tc.size)
		}
	}
}

func TestHuffmanRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		s := make([]byte, rng.IntN(60))
		for i := range s {
			s[i] = byte(rng.Uint32())
		}
		coded := appendHuffman(nil, s)
		got, ok := appendHuffmanDecoded(nil, coded, len(s))
		if !ok || !bytes.Equal(got, s) {
			t.Fatalf("%x: coded %x, decoded %x, %v", s, coded, got, ok)
		}
	}
}

// The table against the plainest model.
func TestTableKeepsTheNewest(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	tab := table{max: 400}
	type pair struct{ name, value string }
	var model []pair
	size := func() (n int) {
		for _, p := range model {
			n += len(p.name) + len(p.value) + entryOverhead
		}
		return n
	}
	for i := range 20000 {
		if rng.IntN(100) == 0 {
			tab.resize(rng.IntN(800))
		} else {
			name, value := strings.Repeat("n", 1+rng.IntN(20)), strings.Repeat(string(rune('a'+i%26)), rng.IntN(120))
			tab.add([]byte(name), []byte(value), fieldKind{})
			model = append([]pair{{name, value}}, model...)
		}
		for len(model) > 0 && size() > tab.max {
			model = model[:len(model)-1]
		}
		if tab.n != len(model) || tab.size != size() {
			t.Fatalf("%d entries of %d bytes, want %d of %d", tab.n, tab.size, len(model), size())
		}
		for j, p := range model {
			if e := tab.at(j); string(tab.nameOf(e)) != p.name || string(tab.valueOf(e)) != p.value {
				t.Fatalf("entry %d is %s: %s, want %v", j, tab.nameOf(e), tab.valueOf(e), p)
			}
		}
		if cap(tab.bytes) > 4*800+tableFirst {
			t.Fatalf("the table holds %d bytes", cap(tab.bytes))
		}
	}
}
