package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/weir-lb/weir/bench/contender"
	"github.com/weir-lb/weir/bench/process"
	"github.com/weir-lb/weir/bench/scenario"
)

// options are what the command line says.
type options struct {
	args       []string
	list       bool
	install    bool
	scenarios  []scenario.Scenario
	contenders []contender.Contender
	rounds     int
	length     time.Duration
	proxyCPUs  []int
	loadCPUs   []int
	out        string
	lock       string
	keep       bool
	nice       int
	realtime   bool
	publish    bool
}

func parseFlags(args []string) (options, error) {
	o := options{args: args}
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.SetOutput(os.Stderr)
	pattern := set.String("scenario", "", "regular `expression` of scenario names; without it the main table runs")
	full := set.Bool("full", false, "every scenario, not only the main table")
	names := set.String("contender", "weir,haproxy,nginx,caddy,floor", "`list` of contenders, in the order of their turns")
	seconds := set.Float64("seconds", 1, "length of a round in `s`")
	weir := set.String("weir", "", "weir's binary; without it the tree is built")
	other := set.String("haproxy", "", "one more HAProxy, by `path`, beside Debian's")
	proxyCPUs := set.String("proxy-cpus", "", "processors of the proxy, as 1 or 2,3 (the last one)")
	loadCPUs := set.String("load-cpus", "", "processors of load and servers (all others)")
	set.BoolVar(&o.list, "list", false, "print scenarios and contenders, run nothing")
	set.BoolVar(&o.install, "install", false, "install missing packages with apt-get first")
	set.IntVar(&o.rounds, "rounds", 5, "rounds of each contender; verdicts need 5")
	set.StringVar(&o.out, "out", "", "`directory` of the report (bench/results/DATE-COMMIT)")
	set.StringVar(&o.lock, "lock", "", "hold a lock on this `file` during each scenario, so that several benchmarks take turns")
	set.IntVar(&o.nice, "nice", 0, "priority of all programs; -10 lets a machine that has other work measure better")
	set.BoolVar(&o.realtime, "realtime", false, "realtime priority for all programs, on a busy machine: exact CPU figures, useless tails")
	set.BoolVar(&o.publish, "publish", false, "copy the report to results/latest, which README shows")
	set.BoolVar(&o.keep, "keep", false, "keep the directory with configurations and logs, and print its name")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	if set.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", set.Arg(0))
	}
	if o.rounds < 1 || *seconds <= 0 {
		return o, fmt.Errorf("%d rounds of %g seconds are no run", o.rounds, *seconds)
	}
	o.length = time.Duration(*seconds * float64(time.Second))
	var err error
	if o.scenarios, err = scenario.Select(*pattern, *full); err != nil {
		return o, err
	}
	if o.contenders, err = chooseContenders(*names, *weir, *other); err != nil {
		return o, err
	}
	return o, o.choosePlaces(*proxyCPUs, *loadCPUs)
}

func chooseContenders(names, weir, other string) ([]contender.Contender, error) {
	var out []contender.Contender
	for name := range strings.SplitSeq(names, ",") {
		found := false
		for _, c := range contender.All() {
			if c.Name != name {
				continue
			}
			if found = true; name == contender.Weir && weir != "" {
				c = c.With(weir)
			}
			out = append(out, c)
			if name == contender.HAProxy && other != "" {
				out = append(out, contender.OtherHAProxy(other))
			}
		}
		if !found {
			return nil, fmt.Errorf("unknown contender %q (bench -list prints them)", name)
		}
	}
	return out, nil
}

// choosePlaces gives the proxy the last processor and the load all others,
// unless the flags say otherwise.
func (o *options) choosePlaces(proxy, load string) error {
	count := len(process.Busy())
	for i := range count {
		if i == count-1 {
			o.proxyCPUs = []int{i}
		}
		if i < count-1 || count == 1 {
			o.loadCPUs = append(o.loadCPUs, i)
		}
	}
	for _, list := range []struct {
		text string
		cpus *[]int
	}{{proxy, &o.proxyCPUs}, {load, &o.loadCPUs}} {
		if list.text == "" {
			continue
		}
		*list.cpus = nil
		for word := range strings.SplitSeq(list.text, ",") {
			n, err := strconv.Atoi(word)
			if err != nil || n < 0 || n >= count {
				return fmt.Errorf("%q is no processor of this machine (0 to %d)", word, count-1)
			}
			*list.cpus = append(*list.cpus, n)
		}
	}
	return nil
}
