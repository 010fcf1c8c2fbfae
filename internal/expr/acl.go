package expr

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/weir-lb/weir/internal/pattern"
)

// An ACLSource is one "acl" line. Lines with the same name are alternatives.
type ACLSource struct {
	Name   string
	Words  []string // criterion, flags and patterns
	Origin string   // "haproxy.cfg:41"
}

// A Loader is where patterns come from that do not stand on the line. The zero
// Loader reads files of the system and resolves no names.
type Loader struct {
	ReadFile func(name string) ([]byte, error)
	Resolve  pattern.Resolve
}

// An ACLError says which "acl" line is wrong, and why.
type ACLError struct {
	Name   string
	Origin string // of the line
	Err    error
}

func (e *ACLError) Error() string { return origin(e.Origin) + "acl " + e.Name + ": " + e.Err.Error() }
func (e *ACLError) Unwrap() error { return e.Err }

// ACLs are the named conditions of one section.
type ACLs struct {
	byName   map[string]*acl
	loader   Loader
	files    map[fileKey][]pattern.Entry
	warnings []string
}

// acl is one named condition: any of its tests.
type acl struct {
	name  string
	tests []*aclTest
}

// fileKey says how a pattern file was read: entries are shared.
type fileKey struct {
	name    string
	columns int
	fold    bool
}

// CompileACLs compiles the "acl" lines of a section. All errors are reported, as
// *ACLError. The name of a wrong line is known all the same, so that conditions
// with it are not wrong as well.
func CompileACLs(sources []ACLSource) (*ACLs, []error) {
	return CompileACLsFrom(sources, Loader{})
}

// CompileACLsFrom is CompileACLs with another source of pattern files.
func CompileACLsFrom(sources []ACLSource, loader Loader) (*ACLs, []error) {
	set := newACLs(loader)
	var errs []error
	for i := range sources {
		s := &sources[i]
		if err := set.add(s); err != nil {
			errs = append(errs, &ACLError{Name: s.Name, Origin: s.Origin, Err: err})
		}
	}
	return set, errs
}

func newACLs(loader Loader) *ACLs {
	if loader.ReadFile == nil {
		loader.ReadFile = os.ReadFile
	}
	return &ACLs{byName: map[string]*acl{}, loader: loader, files: map[fileKey][]pattern.Entry{}}
}

func origin(s string) string {
	if s == "" {
		return ""
	}
	return s + ": "
}

func (set *ACLs) add(s *ACLSource) error {
	if s.Name == "" || strings.Trim(s.Name, aclNameBytes) != "" {
		return fmt.Errorf("a name has letters, digits, '-', '_', '.' and ':' only")
	}
	if s.Name == "or" {
		return fmt.Errorf("\"or\" can't be the name of an acl: it is an operator")
	}
	a := set.byName[s.Name]
	if a == nil {
		a = &acl{name: s.Name}
		set.byName[s.Name] = a
	}
	t, err := set.compileTest(s.Words)
	if err != nil {
		return err
	}
	t.origin = s.Origin
	if t.warning != "" {
		set.warnings = append(set.warnings, fmt.Sprintf("%sacl %s: %s", origin(s.Origin), s.Name, t.warning))
	}
	a.tests = append(a.tests, t)
	return nil
}

const aclNameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"

// Warnings tells what is allowed but probably wrong.
func (set *ACLs) Warnings() []string { return set.warnings }

// References lists the names that all ACLs refer to.
func (set *ACLs) References() []Reference {
	var list []Reference
	for _, name := range slices.Sorted(maps.Keys(set.byName)) {
		for _, t := range set.byName[name].tests {
			for _, ref := range t.expr.References() {
				ref.Origin = t.origin
				list = append(list, ref)
			}
		}
	}
	return list
}

// predefined are the ACLs that need no declaration (manual 7.4).
var predefined = []struct {
	name  string
	words []string
}{
	{"TRUE", []string{"always_true"}},
	{"FALSE", []string{"always_false"}},
	{"HTTP", []string{"req.proto_http"}},
	{"HTTP_1.0", []string{"req.ver", "1.0"}},
	{"HTTP_1.1", []string{"req.ver", "1.1"}},
	{"HTTP_2.0", []string{"req.ver", "2.0"}},
	{"HTTP_3.0", []string{"req.ver", "3.0"}},
	{"HTTP_CONTENT", []string{"req.hdr_val(content-length)", "gt", "0"}},
	{"HTTP_URL_ABS", []string{"url_reg", "^[^/:]*://"}},
	{"HTTP_URL_SLASH", []string{"url_beg", "/"}},
	{"HTTP_URL_STAR", []string{"url", "*"}},
	{"LOCALHOST", []string{"src", "127.0.0.1/8", "::1"}},
	{"METH_CONNECT", []string{"method", "CONNECT"}},
	{"METH_DELETE", []string{"method", "DELETE"}},
	{"METH_GET", []string{"method", "GET", "HEAD"}},
	{"METH_HEAD", []string{"method", "HEAD"}},
	{"METH_OPTIONS", []string{"method", "OPTIONS"}},
	{"METH_POST", []string{"method", "POST"}},
	{"METH_PUT", []string{"method", "PUT"}},
	{"METH_TRACE", []string{"method", "TRACE"}},
	{"RDP_COOKIE", []string{"req.rdp_cookie_cnt", "gt", "0"}},
	{"REQ_CONTENT", []string{"req.len", "gt", "0"}},
	{"WAIT_END", []string{"wait_end"}},
}

// find gives a declared ACL, else a predefined one.
func (set *ACLs) find(name string) (*acl, error) {
	if a := set.byName[name]; a != nil {
		return a, nil
	}
	names := make([]string, 0, len(set.byName)+len(predefined))
	for n := range set.byName {
		names = append(names, n)
	}
	for _, p := range predefined {
		if p.name == name {
			t, err := set.compileTest(p.words)
			if err != nil {
				return nil, fmt.Errorf("acl %s: %w", name, err)
			}
			return &acl{name: name, tests: []*aclTest{t}}, nil
		}
		names = append(names, p.name)
	}
	return nil, fmt.Errorf("there is no acl %q%s", name, didYouMean(name, names))
}

// readFile reads the patterns of a file.
func (set *ACLs) readFile(key fileKey) ([]pattern.Entry, error) {
	if entries, ok := set.files[key]; ok {
		return entries, nil
	}
	text, err := set.loader.ReadFile(key.name)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, fmt.Errorf("can't read the pattern file %s: %w", key.name, err)
	}
	lines, err := pattern.Lines(string(text), key.columns)
	if err != nil {
		return nil, fmt.Errorf("pattern file %s: %w", key.name, err)
	}
	entries := make([]pattern.Entry, len(lines))
	for i, l := range lines {
		entries[i] = pattern.Entry{Text: l.Key, Fold: key.fold}
	}
	set.files[key] = entries
	return entries, nil
}
