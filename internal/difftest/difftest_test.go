package difftest

import (
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// casesAtOnce is the number of cases that run in parallel: they wait far more
// than they compute.
const casesAtOnce = "8"

// weirBinary is set by TestMain; empty when weir is not to be run.
var weirBinary string

func TestMain(m *testing.M) {
	flag.Parse()
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "test.parallel" })
	if !set {
		flag.Set("test.parallel", casesAtOnce)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if !wants(ProxyWeir) {
		return m.Run()
	}
	weirBinary = os.Getenv("WEIR_BIN")
	if weirBinary == "" {
		noteSources("../..")
		dir, err := os.MkdirTemp("", "weir-difftest-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		weirBinary = filepath.Join(dir, "weir")
		out, err := exec.Command("go", "build", "-o", weirBinary, "../../cmd/weir").CombinedOutput()
		if err != nil {
			os.Stderr.WriteString("can't build weir: " + string(out))
			return 1
		}
	}
	return m.Run()
}

// noteSources looks at every source file of weir, so that go test does not
// take an earlier result for the present one: it only knows the files that the
// test itself has looked at.
func noteSources(root string) {
	filepath.WalkDir(root, func(path string, _ fs.DirEntry, _ error) error {
		if filepath.Ext(path) == ".go" {
			os.Stat(path)
		}
		return nil
	})
}

// wants reports whether a proxy takes part: DIFF=haproxy or DIFF=weir choose
// one, otherwise both run.
func wants(proxy string) bool {
	only := os.Getenv("DIFF")
	update := os.Getenv("UPDATE")
	if update == "1" {
		return proxy == ProxyHAProxy
	}
	return only == "" || only == proxy
}

func TestDiff(t *testing.T) {
	cases, err := LoadCases("testdata")
	if err != nil {
		t.Fatal(err)
	}
	differences, err := LoadDifferences("differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, d := range differences {
		listed[d.Case] = true
	}
	haproxy, err := exec.LookPath("haproxy")
	if err != nil {
		haproxy = "" // the recorded results stand in for it
		t.Log("no haproxy here: weir is compared with the recorded results")
	}
	for _, c := range cases {
		meant := listed[c.Name]
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if haproxy != "" && wants(ProxyHAProxy) {
				checkHAProxy(t, c, haproxy)
			}
			if weirBinary != "" {
				checkWeir(t, c, meant)
			}
		})
		delete(listed, c.Name)
	}
	for name := range listed {
		t.Errorf("differences.txt lists %s, but there is no such case", name)
	}
}

// checkHAProxy plays the case with HAProxy: it must do what was recorded, or
// is recorded now.
func checkHAProxy(t *testing.T, c *Case, binary string) {
	t.Helper()
	if os.Getenv("UPDATE") == "1" {
		got, err := Play(c, binary, t.TempDir(), nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, Explain("recorded", "haproxy", &c.Want, &got))
		}
		c.Want = got
		writeCase(t, c)
		return
	}
	got, err := Play(c, binary, t.TempDir(), &c.Want)
	if err != nil {
		t.Errorf("haproxy: %v", err)
	}
	if !got.Equal(&c.Want) {
		t.Errorf("haproxy does not do what was recorded (UPDATE=1 records):\n%s", Explain("recorded", "haproxy", &c.Want, &got))
	}
	c.Want = got // what weir is compared with is this run, not the record
}

func checkWeir(t *testing.T, c *Case, listed bool) {
	t.Helper()
	if os.Getenv("UPDATE") == "weir" {
		recordWeir(t, c, listed)
		return
	}
	if !listed && !c.Weir.Empty() {
		t.Errorf("the case holds results of weir but is not listed in differences.txt")
	}
	want := c.WantOf(ProxyWeir)
	got, err := Play(c, weirBinary, t.TempDir(), &want)
	if refusal := strings.TrimSpace(c.Weir.get(refuses)); refusal != "" {
		if err == nil || !strings.Contains(err.Error(), refusal) {
			t.Errorf("weir should refuse the file with %q, but: %v", refusal, err)
		}
		return
	}
	if err != nil && !listed {
		t.Errorf("weir: %v", err)
	}
	if !got.Equal(&want) {
		t.Errorf("weir differs:\n%s", Explain("haproxy", "weir", &want, &got))
	}
	if listed && err == nil && got.Equal(&c.Want) {
		t.Errorf("the case is listed in differences.txt, but weir does the same as HAProxy")
	}
}

// refuses names the section with weir's reason for not starting.
const refuses = "refuses"

// alertText finds what an alert says behind the place in the file.
var alertText = regexp.MustCompile(`(?m)^\[ALERT\].*?proxy\.cfg:\d+\] : (.*)$`)

func recordWeir(t *testing.T, c *Case, listed bool) {
	t.Helper()
	if !listed {
		return
	}
	got, err := Play(c, weirBinary, t.TempDir(), nil)
	if err != nil {
		t.Logf("weir: %v", err)
	}
	c.Weir = Differing(&c.Want, &got)
	if err != nil {
		if m := alertText.FindStringSubmatch(err.Error()); m != nil {
			c.Weir = Result{}
			c.Weir.set(refuses, m[1]+"\n")
		}
	}
	writeCase(t, c)
}

func writeCase(t *testing.T, c *Case) {
	t.Helper()
	if err := os.WriteFile(c.Path, []byte(c.Text()), 0o644); err != nil {
		t.Fatal(err)
	}
}
