package message

import (
	"strings"
	"testing"
)

func TestFieldHashIsPerfect(t *testing.T) {
	seen := map[uint32]FieldID{}
	for id := FieldOther + 1; id < fieldIDs; id++ {
		name := id.String()
		if n := len(name); n < fieldNameMin || n > fieldNameMax {
			t.Errorf("%q: %d bytes, want %d to %d", name, n, fieldNameMin, fieldNameMax)
			continue
		}
		h := fieldHash([]byte(name))
		if other, taken := seen[h]; taken {
			t.Errorf("%q and %q have the same hash: search for another fieldHashFactor", name, other)
		}
		seen[h] = id
	}
}

func TestEveryKnownNameIsFoundInAnyCase(t *testing.T) {
	for id := FieldOther + 1; id < fieldIDs; id++ {
		name := id.String()
		for _, spelled := range []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
			if got := FieldIDOf([]byte(spelled)); got != id {
				t.Errorf("FieldIDOf(%q) = %q, want %q", spelled, got, id)
			}
		}
	}
}

func TestNamesThatAreNearlyKnownAreNot(t *testing.T) {
	for id := FieldOther + 1; id < fieldIDs; id++ {
		name := []byte(id.String())
		for i := range name {
			was := name[i]
			for _, c := range []byte("x-0_^~!") {
				name[i] = c
				if c != was && FieldIDOf(name) == id {
					t.Errorf("FieldIDOf(%q) = %q", name, id)
				}
			}
			name[i] = was
		}
		if FieldIDOf(append(name, 's')) == id || FieldIDOf(name[:len(name)-1]) == id {
			t.Errorf("a longer or shorter name is taken for %q", id)
		}
	}
}

func TestConnectionCanNotDropWhatTheProxyNeeds(t *testing.T) {
	for _, name := range []string{
		"host", "cookie", "authorization", "content-length", "transfer-encoding", "x-forwarded-for",
		"x-forwarded-proto", "x-real-ip", "forwarded", "x-original-to", "proxy-authorization",
		"X-Forwarded-Client-Cert",
	} {
		if !ProtectedName([]byte(name)) {
			t.Errorf("%s is not protected", name)
		}
	}
	for _, name := range []string{"x-a", "keep-alive", "te", "upgrade", "connection", "http2-settings"} {
		if ProtectedName([]byte(name)) {
			t.Errorf("%s is protected", name)
		}
	}
}
