package config

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-lb/weir/proxy"
)

// The example files are those of real life: they load, and package proxy can
// run what they say. An empty folder is no failure: files come as they are
// written.
func TestExampleFilesLoad(t *testing.T) {
	env := testEnv(&archive{})
	for _, name := range []string{"DEMO_WEB_PORT", "DEMO_TCP_PORT"} {
		env.Vars[name] = "8080"
	}
	for _, name := range []string{"DEMO_BLUE", "DEMO_GREEN", "DEMO_ECHO"} {
		env.Vars[name] = "192.0.2.1:8080"
	}
	inner := env.ReadFile
	env.ReadFile = func(name string) ([]byte, error) {
		if strings.HasPrefix(name, "/etc/haproxy/errors/") {
			status := strings.TrimSuffix(filepath.Base(name), ".http")
			return []byte("HTTP/1.0 " + status + " Error\r\nContent-Type: text/html\r\n\r\n<h1>Error</h1>\n"), nil
		}
		if strings.HasPrefix(name, "../examples/") {
			return readFile(name)
		}
		return inner(name)
	}
	err := filepath.WalkDir("../examples", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".cfg" {
			return err
		}
		t.Run(strings.TrimPrefix(filepath.ToSlash(path), "../examples/"), func(t *testing.T) {
			r, err := Load([]string{path}, env)
			if err != nil {
				t.Fatal(err)
			}
			if err := proxy.Check(*r.Config, proxy.Options{}); err != nil {
				t.Errorf("package proxy refuses it: %v", err)
			}
			if r.Warned() {
				t.Errorf("an example gives no warning, got %v", r.Notices)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What loads here compiles there: a keyword that this package takes and package
// proxy refuses would be found by nobody but the user.
func TestGoodFilesCompile(t *testing.T) {
	for _, path := range goldenFiles(t) {
		a := readArchive(t, path)
		if _, bad := a.get("want.err"); bad {
			continue
		}
		env := testEnv(a)
		r, err := Load(a.configFiles(), env)
		if err != nil {
			t.Fatal(err)
		}
		if err := proxy.Check(*r.Config, proxy.Options{ReadFile: env.ReadFile}); err != nil {
			t.Errorf("%s: package proxy refuses it:\n%v", filepath.Base(path), err)
		}
	}
}

func ExampleLoadBytes() {
	_, err := LoadBytes("haproxy.cfg", []byte(`
frontend www
    bind :80
    mode htpp
    default_backend ap

backend app
    server s1 192.0.2.1:8080 chek
`), Env{})
	fmt.Println(err)
	// Output:
	// haproxy.cfg:4: frontend www: mode: wants one of tcp, http, got "htpp"; did you mean http?
	// haproxy.cfg:5: frontend www: default_backend: there is no backend "ap"; did you mean app?
	// haproxy.cfg:8: backend app: server: unknown option "chek"; did you mean check?
}
