package config

import (
	"strings"

	"github.com/weir-lb/weir/balancer"
	"github.com/weir-lb/weir/proxy"
)

var balanceNames = []string{
	"roundrobin", "static-rr", "leastconn", "first", "random", "source", "uri", "url_param", "hdr", "hash",
}

// balance is the "balance" keyword (manual 4.2).
func (c *compiler) balance(l *line) {
	d := c.draft
	if len(l.args) == 0 {
		return // HAProxy takes the empty form for roundrobin
	}
	d.algorithm = l
	spec, on := &d.back.Balance, proxy.HashOn{Origin: l.origin()}
	name, arg, parens := parenthesis(l.args[0])
	rest := l.args[1:]
	errs := len(c.errs)
	spec.RandomDraws = 0
	switch name {
	case "roundrobin":
		spec.Algorithm = balancer.RoundRobin
	case "static-rr":
		spec.Algorithm = balancer.StaticRR
	case "leastconn":
		spec.Algorithm = balancer.LeastConn
	case "first":
		spec.Algorithm = balancer.First
	case "random":
		spec.Algorithm = balancer.Random
		if parens {
			c.randomDraws(l, spec, arg)
		}
	case "source":
		spec.Algorithm, on.Kind = balancer.Source, "source"
	case "uri", "url_param", "hdr", "hash":
		spec.Algorithm, on.Kind, on.Arg = balancer.Hash, name, arg
		rest = c.hashOn(l, &on, rest)
	case "rdp-cookie":
		c.fail(l, "weir does not support rdp-cookie yet; use balance hash or balance source")
	default:
		c.fail(l, "unknown algorithm %s; there is %s%s", quote(l.args[0]), strings.Join(balanceNames, ", "), didYouMean(name, balanceNames))
	}
	if on.Kind == "" || len(c.errs) > errs {
		on = proxy.HashOn{}
	}
	d.back.HashOn = on
	if len(rest) > 0 {
		c.note(LevelWarning, l, "ignored: %s takes no argument %s", name, quote(rest[0]))
	}
}

// parenthesis splits "hdr(host)".
func parenthesis(word string) (name, arg string, ok bool) {
	name, arg, ok = strings.Cut(word, "(")
	return name, strings.TrimSuffix(arg, ")"), ok
}

const randomDrawsMax = 64 // of random(N); HAProxy has no bound, but more is leastconn

func (c *compiler) randomDraws(l *line, spec *balancer.Spec, arg string) {
	n, err := parseInteger(arg, 1, randomDrawsMax)
	c.checkOf(l, "random", err)
	spec.RandomDraws = n
}

// hashOn reads what a hashing algorithm takes and returns the words left.
func (c *compiler) hashOn(l *line, on *proxy.HashOn, rest []string) []string {
	switch on.Kind {
	case "uri":
		return c.hashURI(l, on, rest)
	case "hdr":
		if on.Arg == "" {
			c.fail(l, "hdr wants the name of a header, such as hdr(host)")
		}
		if len(rest) > 0 && rest[0] == "use_domain_only" {
			on.UseDomainOnly = true
			return rest[1:]
		}
		return rest
	case "url_param":
		return c.hashParam(l, on, rest)
	}
	if len(rest) == 0 {
		c.fail(l, "hash wants a sample expression, such as: balance hash req.hdr(x-user)")
		return nil
	}
	on.Arg = strings.Join(rest, " ")
	return nil
}

func (c *compiler) hashURI(l *line, on *proxy.HashOn, rest []string) []string {
	o := options{c: c, l: l, words: rest}
	for o.next() {
		switch o.name {
		case "len":
			on.Len = o.integer(1, intMax)
		case "depth":
			on.Depth = o.integer(1, intMax)
		case "whole":
			on.Whole = true
		case "path-only":
			on.PathOnly = true
		default:
			o.unknown([]string{"len", "depth", "whole", "path-only"})
		}
	}
	return nil
}

func (c *compiler) hashParam(l *line, on *proxy.HashOn, rest []string) []string {
	if len(rest) == 0 || rest[0] == "" {
		c.fail(l, "url_param wants the name of a parameter, such as: balance url_param userid")
		return nil
	}
	on.Arg = rest[0]
	switch {
	case len(rest) == 1:
	case rest[1] != "check_post":
		c.fail(l, "url_param only takes check_post after the name, got %s", quote(rest[1]))
	default:
		c.fail(l, "weir does not support check_post: bodies are not searched; use balance hash with option http-buffer-request")
	}
	return nil
}

// hashType is "hash-type METHOD [FUNCTION [avalanche]]".
func (c *compiler) hashType(l *line) {
	spec := &c.draft.back.Balance
	if !c.check(l, oneOf(l.args[0], "map-based", "consistent")) {
		return
	}
	spec.Consistent = l.args[0] == "consistent"
	spec.HashFunc, spec.Avalanche = "sdbm", spec.Consistent // the function that stands for none (manual)
	switch {
	case len(l.args) == 1:
	case l.args[1] == "wt6":
		c.fail(l, "weir does not have the function wt6 yet; crc32, sdbm and djb2 spread keys as HAProxy does")
	case c.check(l, oneOf(l.args[1], "sdbm", "djb2", "crc32", "none")):
		spec.HashFunc, spec.Avalanche = l.args[1], false
	}
	if len(l.args) > 2 && c.check(l, oneOf(l.args[2], "avalanche")) {
		spec.Avalanche = true
	}
}

func (c *compiler) hashBalanceFactor(l *line) {
	n, err := parseInteger(l.args[0], 0, intMax)
	if err == nil && n > 0 && n <= 100 {
		c.fail(l, "wants 0 or a percentage above 100, got %d", n)
		n = 0
	}
	c.check(l, err)
	c.draft.back.Balance.BalanceFactor = n
}

// finishBalance handles algorithms that look at HTTP in a TCP backend.
func (c *compiler) finishBalance(d *draft) {
	kind := d.back.HashOn.Kind
	if d.common.Mode == proxy.ModeHTTP || kind != "uri" && kind != "hdr" && kind != "url_param" {
		return
	}
	c.note(LevelWarning, d.algorithm, "ignored: balance %s needs mode http; roundrobin is used", kind)
	d.back.Balance.Algorithm, d.back.HashOn = balancer.RoundRobin, proxy.HashOn{}
}
