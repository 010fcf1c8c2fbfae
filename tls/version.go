package tls

import (
	cryptotls "crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// versionNames are HAProxy's words for versions, oldest first.
var versionNames = []struct {
	name string
	id   uint16
}{
	{"SSLv3", 0x0300},
	{"TLSv1.0", cryptotls.VersionTLS10},
	{"TLSv1.1", cryptotls.VersionTLS11},
	{"TLSv1.2", cryptotls.VersionTLS12},
	{"TLSv1.3", cryptotls.VersionTLS13},
}

// ParseVersion reads a version as in ssl-min-ver.
func ParseVersion(text string) (uint16, error) {
	var words []string
	for _, v := range versionNames {
		if v.name == text {
			return v.id, nil
		}
		words = append(words, v.name)
	}
	return 0, fmt.Errorf("wants one of %s, got %q", strings.Join(words, ", "), text)
}

// VersionName is what logs call a version.
func VersionName(id uint16) string {
	if id == cryptotls.VersionTLS10 {
		return "TLSv1"
	}
	for _, v := range versionNames {
		if v.id == id {
			return v.name
		}
	}
	return ""
}

// Versions are the settings that decide which versions a bind or server speaks.
type Versions struct {
	Min, Max uint16   // 0: not set
	Not      []uint16 // no-tlsv10 and so on
}

// Range resolves the settings. ok is false where nothing is left, or a version
// is missing between two that are wanted, which Go can't express.
func (v *Versions) Range() (min, max uint16, err error) {
	min, max = v.Min, v.Max
	if min == 0 {
		min = cryptotls.VersionTLS12
		if max != 0 && max < min {
			min = cryptotls.VersionTLS10
		}
	}
	if max == 0 {
		max = cryptotls.VersionTLS13
	}
	if min > max {
		return 0, 0, fmt.Errorf("the oldest version that is wanted, %s, is newer than the newest, %s", name(min), name(max))
	}
	var wanted []uint16
	for _, known := range versionNames[1:] {
		if known.id >= min && known.id <= max && !slices.Contains(v.Not, known.id) {
			wanted = append(wanted, known.id)
		}
	}
	if len(wanted) == 0 {
		return 0, 0, fmt.Errorf("no version of TLS is left: Go speaks 1.0 to 1.3")
	}
	min, max = wanted[0], wanted[len(wanted)-1]
	if int(max-min) != len(wanted)-1 {
		return 0, 0, fmt.Errorf("a version between %s and %s is left out; Go can only speak all versions of a range", name(min), name(max))
	}
	return min, max, nil
}

func name(id uint16) string {
	for _, v := range versionNames {
		if v.id == id {
			return v.name
		}
	}
	return "?"
}
