package config

import (
	"strings"
	"testing"
)

func TestConditionsAreTrueOrFalse(t *testing.T) {
	env := Env{Vars: map[string]string{"HOME": "/srv", "EMPTY": ""}, Hostname: "h", Features: []string{"EPOLL"}}
	for expr, want := range map[string]bool{
		"":                              false,
		"   ":                           false,
		"0":                             false,
		"00":                            false,
		"-0":                            false,
		"1":                             true,
		"-1":                            true,
		"99999999999999999999":          true,
		`"1"`:                           true,
		"!0":                            true,
		"!!1":                           true,
		"1 && 0":                        false,
		"1&&1":                          true,
		"0 || 1 && 1":                   true,
		"1 || 1 && 0":                   true,
		"(1 || 1) && 0":                 false,
		"! (0 || 0)":                    true,
		"defined(HOME)":                 true,
		"defined(EMPTY)":                true,
		"defined(NOPE)":                 false,
		"defined()":                     false,
		"feature(EPOLL)":                true,
		"feature(+EPOLL)":               false,
		"enabled(EPOLL)":                true,
		"enabled(KQUEUE)":               false,
		"streq(a,a)":                    true,
		"streq(a ,a)":                   false,
		"streq(a,A)":                    false,
		`streq("$HOME",/srv)`:           true,
		`streq('$HOME',\"\$HOME\")`:     true,
		`streq("a b",a\ b)`:             true,
		`streq(\"a,b\",\'a,b\')`:        true,
		"strneq(a,b)":                   true,
		"strstr(haystack,st)":           true,
		"strstr(haystack,x)":            false,
		"version_atleast(3.2)":          true,
		"version_atleast(3.2.0)":        true,
		"version_atleast(3.2.1)":        false,
		"version_atleast(3.2-dev4)":     true,
		"version_atleast(2.9-dev1)":     true,
		"version_atleast(nonsense)":     true,
		"version_before(3.2)":           false,
		"version_before(3.3-dev1)":      true,
		"version_before(10)":            true,
		"openssl_version_atleast(1.1)":  false,
		"openssl_version_before(1.1)":   false,
		"ssllib_name_startswith(aws)":   false,
		"awslc_api_atleast(1)":          false,
		"awslc_api_before(1)":           false,
		"streq(a,b) || !streq(a,b) # x": true,
	} {
		got, err := EvalCondition(expr, env)
		if err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", expr, got, err, want)
		}
	}
}

func TestBrokenConditionsAreErrors(t *testing.T) {
	for expr, want := range map[string]string{
		"x":                            "can't read the condition at",
		"1 ||":                         "can't read the condition at",
		"1 1":                          "unexpected",
		"1x":                           "unexpected",
		"(1":                           "closing )",
		"1)":                           "unexpected",
		"streq(a,a":                    "expected ) after the arguments",
		"streq(a)":                     "wants 2 argument(s), got 1",
		"streq(a,b,c)":                 "wants 2 argument(s), got 3",
		"streq (a,b)":                  "right after its name",
		`streq(\"a,b)`:                 "unmatched quote",
		`"open`:                        "unmatched quote",
		`"$"`:                          "begins with a letter",
		`"${.LINE}"`:                   "no variable .LINE",
		strings.Repeat("(", 1000):      "nested deeper",
		strings.Repeat("!", 1000):      "nested deeper",
		"streq(a,b) && " + "unknown()": "can't read the condition at",
	} {
		if v, err := EvalCondition(expr, Env{Vars: map[string]string{}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q is %v, %v; want an error with %q", expr, v, err, want)
		}
	}
}

func TestVersionsAreOrdered(t *testing.T) {
	order := []string{"2", "2.0.1", "2.4-dev1", "2.4-dev19", "2.4", "2.4.1", "2.10", "3.2-dev3", "3.2.0", "10.0"}
	for i := range order {
		for j := range order {
			got := compareVersions(order[i], order[j])
			if i < j && got >= 0 || i == j && got != 0 || i > j && got <= 0 {
				t.Errorf("compareVersions(%s, %s) = %d", order[i], order[j], got)
			}
		}
	}
}
