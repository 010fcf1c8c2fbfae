package proxy

import (
	"errors"
	"reflect"
	"testing"
)

// wrongSite has mistakes of several kinds, some of them in two places.
func wrongSite() *Config {
	cfg := site(ModeHTTP, 1)
	fe := &cfg.Frontends[0]
	fe.ACLs = []ACL{{Name: "bad", Words: []string{"path_begg", "/x"}, Origin: "a.cfg:3"}}
	fe.HTTPRules.Request = []Rule{
		{Name: "deny", Cond: Cond{Words: []string{"bad"}}, Origin: "a.cfg:4"},
		{Name: "set-header", Args: []string{"x", "%zz"}, Cond: Cond{Words: []string{"none"}}, Origin: "a.cfg:5"},
	}
	cfg.Backends[0].Balance.BalanceFactor = 50
	cfg.Backends[0].Origin = "a.cfg:9"
	fe.UseBackend = []UseBackend{{Backend: "be", Origin: "a.cfg:6"}}
	return cfg
}

func TestEachMistakeIsToldOnce(t *testing.T) {
	err := Check(*wrongSite(), Options{})
	var list interface{ Unwrap() []error }
	if !errors.As(err, &list) {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, e := range list.Unwrap() {
		got = append(got, e.Error())
	}
	want := []string{
		`a.cfg:9: backend be: hash-balance-factor 50: must be 0 or above 100`,
		`a.cfg:3: frontend fe: acl bad: there is no criterion "path_begg"; did you mean path_beg?`,
		`a.cfg:5: frontend fe: http-request set-header: there is no variable %zz; write %% for a percent sign`,
		`a.cfg:5: frontend fe: http-request: in the condition: there is no acl "none"`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestCompilingLeavesTheConfigAlone(t *testing.T) {
	cfg := func() *Config {
		cfg := site(ModeHTTP, 1)
		cfg.Frontends[0].Log.CaptureRequest = []Capture{{Name: "host", Len: 10}}
		cfg.Frontends[0].HTTPRules.Request = []Rule{{Name: "capture", Args: []string{"path", "len", "20"}}}
		return cfg
	}
	checked := cfg()
	if err := Check(*checked, Options{}); err != nil {
		t.Fatal(err)
	}
	checked.Backends[0].Balance.Name = "" // New names it after its backend
	if !reflect.DeepEqual(checked, cfg()) {
		t.Errorf("the Config is another one now: %+v", checked.Frontends[0].Log)
	}
}

func TestCapturesNeedTheirSlots(t *testing.T) {
	for _, row := range []struct {
		ruleset, want string
		args          []string
	}{
		{"request", "", []string{"path", "len", "20"}},
		{"request", "", []string{"path", "id", "0"}},
		{"request", "a.cfg:4: frontend fe: http-request capture: there is no slot with id 1; make one with: declare capture request len LENGTH",
			[]string{"path", "id", "1"}},
		{"response", "a.cfg:4: frontend fe: http-response capture: there is no slot with id 0; make one with: declare capture response len LENGTH",
			[]string{"res.hdr(a)", "id", "0"}},
		{"response", "a.cfg:4: frontend fe: http-response capture: len can't stand in rules for responses; use id N with a declared capture",
			[]string{"res.hdr(a)", "len", "5"}},
	} {
		cfg := site(ModeHTTP, 1)
		cfg.Frontends[0].Log.CaptureRequest = []Capture{{Len: 10}}
		list := &cfg.Frontends[0].HTTPRules.Request
		if row.ruleset == "response" {
			list = &cfg.Frontends[0].HTTPRules.Response
		}
		*list = []Rule{{Name: "capture", Args: row.args, Origin: "a.cfg:4"}}
		got := ""
		if err := Check(*cfg, Options{}); err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s %q:\n got %q\nwant %q", row.ruleset, row.args, got, row.want)
		}
	}
}

func TestLogTargetsAreToldAtTheirLines(t *testing.T) {
	cfg := site(ModeHTTP, 1)
	cfg.Frontends[0].Log.Custom = ""
	cfg.Global.Logs = []LogTarget{{Address: "ring@a", Facility: "local0", Origin: "a.cfg:2"}}
	cfg.Frontends[0].Logs = []LogTarget{{Global: true}, {Address: "ring@b", Facility: "local0", Origin: "a.cfg:9"}}
	_, err := New(*cfg, Options{})
	want := "a.cfg:2: frontend fe: log ring@a: ring buffers are not supported yet; use stdout, a socket or a file descriptor\n" +
		"a.cfg:9: frontend fe: log ring@b: ring buffers are not supported yet; use stdout, a socket or a file descriptor"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
