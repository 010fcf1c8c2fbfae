package tls

import (
	"slices"
	"strings"
	"testing"
)

func TestCipherStrings(t *testing.T) {
	for _, tc := range []struct{ text, want, left string }{
		{"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", ""},
		{"ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256"},
		{"ECDHE+AESGCM+aRSA", "ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-AES128-GCM-SHA256", ""},
		{"ECDHE+CHACHA20:!aNULL:!MD5:!DSS", "ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305", ""},
		{"HIGH:!kRSA:!AEAD:!SHA1:!SHA256", "", ""}, // nothing is left
		{"RSA+AESGCM:@STRENGTH", "AES256-GCM-SHA384 AES128-GCM-SHA256", ""},
		{"AES128-GCM-SHA256:!AES128:AES128-GCM-SHA256:AES256-GCM-SHA384", "AES256-GCM-SHA384", ""},
		{"AES128-GCM-SHA256:-AES128:AES256-GCM-SHA384:AES128-SHA", "AES256-GCM-SHA384 AES128-SHA", ""},
		{"AES128-GCM-SHA256:NONSENSE", "AES128-GCM-SHA256", "NONSENSE"},
		{"RC4-SHA:DES-CBC3-SHA", "", ""},
	} {
		ids, left, err := ParseCiphers(tc.text)
		var names []string
		for _, id := range ids {
			names = append(names, CipherName(id))
		}
		if (err != nil) != (tc.want == "") {
			t.Errorf("%s: error %v", tc.text, err)
		}
		if err == nil && (strings.Join(names, " ") != tc.want || strings.Join(left, " ") != tc.left) {
			t.Errorf("%s:\n got %v, left %v\nwant %s, left %s", tc.text, names, left, tc.want, tc.left)
		}
	}
}

// The string that Mozilla publishes for intermediate compatibility.
func TestMozillasIntermediateString(t *testing.T) {
	ids, left, err := ParseCiphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" +
		"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256")
	if err != nil || len(ids) != 6 || !slices.Equal(left, []string{"DHE-RSA-AES128-GCM-SHA256"}) {
		t.Errorf("got %d suites, left %v, error %v", len(ids), left, err)
	}
}

func TestVersionRanges(t *testing.T) {
	v := func(name string) uint16 { id, _ := ParseVersion(name); return id }
	for _, tc := range []struct {
		versions Versions
		min, max string // empty: an error
	}{
		{Versions{}, "TLSv1.2", "TLSv1.3"},
		{Versions{Min: v("TLSv1.0")}, "TLSv1.0", "TLSv1.3"},
		{Versions{Max: v("TLSv1.1")}, "TLSv1.0", "TLSv1.1"},
		{Versions{Min: v("SSLv3"), Max: v("TLSv1.2")}, "TLSv1.0", "TLSv1.2"},
		{Versions{Not: []uint16{v("TLSv1.3")}}, "TLSv1.2", "TLSv1.2"},
		{Versions{Not: []uint16{v("TLSv1.2")}}, "TLSv1.3", "TLSv1.3"},
		{Versions{Not: []uint16{v("TLSv1.2"), v("TLSv1.3")}}, "", ""},
		{Versions{Min: v("TLSv1.0"), Not: []uint16{v("TLSv1.1")}}, "", ""},
		{Versions{Min: v("TLSv1.3"), Max: v("TLSv1.2")}, "", ""},
	} {
		min, max, err := tc.versions.Range()
		switch {
		case tc.min == "" && err == nil:
			t.Errorf("%+v: no error", tc.versions)
		case tc.min != "" && (err != nil || name(min) != tc.min || name(max) != tc.max):
			t.Errorf("%+v: got %s to %s and error %v", tc.versions, name(min), name(max), err)
		}
	}
}

func TestCurvesAndSuites(t *testing.T) {
	ids, left, err := ParseCurves("X25519:P-256:secp384r1:X448")
	if err != nil || len(ids) != 3 || !slices.Equal(left, []string{"X448"}) {
		t.Errorf("curves: %v, left %v, error %v", ids, left, err)
	}
	missing, left, err := ParseSuites13("TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256")
	if err != nil || len(missing) != 2 || len(left) != 1 {
		t.Errorf("suites: missing %v, left %v, error %v", missing, left, err)
	}
	for _, wrong := range []string{"", "TLS_AES_128_CCM_SHA256", "AES128-SHA"} {
		if _, _, err := ParseSuites13(wrong); err == nil {
			t.Errorf("%q was accepted", wrong)
		}
	}
}
