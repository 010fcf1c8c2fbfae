package config

import (
	"slices"
	"time"

	"github.com/weir-lb/weir/proxy"
)

// A serverOption is one row of the table of server options (manual 5.2).
type serverOption struct {
	name    string
	values  int // words that follow
	run     func(*serverLine)
	support support
	remark  string
}

func serverOptionNamed(name string) (serverOption, bool) {
	for _, row := range serverOptions {
		if row.name == name {
			return row, true
		}
	}
	return serverOption{}, false
}

func serverOptionNames() []string {
	var names []string
	for _, row := range serverOptions {
		names = append(names, row.name)
	}
	return names
}

const (
	noAgents    = "weir has no agent checks yet"
	noResolvers = "it only matters with resolvers, which weir does not have yet"
)

// serverOptions are all options of server lines.
var serverOptions = slices.Concat(serverPlainOptions, serverTLSOptions)

var serverPlainOptions = []serverOption{
	{"addr", 1, (*serverLine).checkAddress, supported, ""},
	{"backup", 0, func(o *serverLine) { o.s.balance.Backup = true }, supported, ""},
	{"check", 0, func(o *serverLine) { o.probe().Enabled = true }, supported, ""},
	{"check-proto", 1, func(o *serverLine) { o.choice("h1", "none") }, supported, "h1 and none"},
	{"check-send-proxy", 0, func(o *serverLine) { o.s.checkProxy = true }, supported, ""},
	{"cookie", 1, func(o *serverLine) { o.s.proxy.Cookie = o.value() }, supported, ""},
	{"disabled", 0, func(o *serverLine) { o.s.balance.Disabled = true }, supported, ""},
	{"downinter", 1, longTime(func(o *serverLine) *time.Duration { return &o.probe().DownInter }), supported, ""},
	{"enabled", 0, func(o *serverLine) { o.s.balance.Disabled = false }, supported, ""},
	{"error-limit", 1, func(o *serverLine) { o.probe().ErrorLimit = o.integer(1, intMax) }, supported, ""},
	{"fall", 1, func(o *serverLine) { o.probe().Fall = o.integer(1, intMax) }, supported, ""},
	{"fastinter", 1, longTime(func(o *serverLine) *time.Duration { return &o.probe().FastInter }), supported, ""},
	{"id", 1, (*serverLine).id, supported, ""},
	{"init-addr", 1, (*serverLine).initAddr, supported, ""},
	{"init-state", 1, func(o *serverLine) { o.probe().InitState = o.choice("fully-up", "up", "down", "fully-down") }, supported, ""},
	{"inter", 1, longTime(func(o *serverLine) *time.Duration { return &o.probe().Inter }), supported, ""},
	{"max-reuse", 1, (*serverLine).maxReuse, supported, ""},
	{"maxconn", 1, func(o *serverLine) { o.s.balance.MaxConn = o.integer(0, 1<<30) }, supported, ""},
	{"maxqueue", 1, func(o *serverLine) { o.s.balance.MaxQueue = o.integer(0, 1<<30) }, supported, ""},
	{"minconn", 1, func(o *serverLine) { o.s.balance.MinConn = o.integer(0, 1<<30) }, supported, ""},
	{"no-backup", 0, func(o *serverLine) { o.s.balance.Backup = false }, supported, ""},
	{"no-check", 0, func(o *serverLine) { o.probe().Enabled = false }, supported, ""},
	{"no-check-send-proxy", 0, func(o *serverLine) { o.s.checkProxy = false }, supported, ""},
	{"no-send-proxy", 0, noProxy, supported, ""},
	{"no-send-proxy-v2", 0, noProxy, supported, ""},
	{"no-send-proxy-v2-ssl", 0, noProxy, supported, ""},
	{"no-send-proxy-v2-ssl-cn", 0, noProxy, supported, ""},
	{"no-tfo", 0, func(o *serverLine) { o.s.proxy.TFO = false }, supported, ""},
	{"observe", 1, (*serverLine).observe, supported, ""},
	{"on-error", 1, (*serverLine).onError, supported, ""},
	{"on-marked-down", 1, func(o *serverLine) { o.probe().ShutdownOnDown = o.choice("shutdown-sessions") != "" }, supported, ""},
	{"on-marked-up", 1, func(o *serverLine) { o.probe().ShutdownBackupsOnUp = o.choice("shutdown-backup-sessions") != "" }, supported, ""},
	{"pool-low-conn", 1, func(o *serverLine) { o.integer(0, intMax) }, supported, "read only: no loop takes idle connections from another"},
	{"pool-max-conn", 1, (*serverLine).poolMax, supported, ""},
	{"pool-purge-delay", 1, (*serverLine).poolPurgeDelay, supported, "half of what is not needed leaves; what has been needed of late stays three delays (docs/decisions/0012)"},
	{"port", 1, (*serverLine).checkPort, supported, ""},
	{"proto", 1, (*serverLine).proto, supported, "h1 and none"},
	{"proxy-v2-options", 1, (*serverLine).proxyOptions, supported, ""},
	{"redir", 1, func(o *serverLine) { o.s.proxy.Redirect = o.value() }, supported, ""},
	{"resolvers", 1, func(o *serverLine) { o.s.resolvers = o.value() }, supported, "refused on a server: weir resolves names when it starts, not at run time yet"},
	{"rise", 1, func(o *serverLine) { o.probe().Rise = o.integer(1, intMax) }, supported, ""},
	{"send-proxy", 0, sendsProxy(proxy.ProxyV1), supported, ""},
	{"send-proxy-v2", 0, sendsProxy(proxy.ProxyV2), supported, ""},
	{"send-proxy-v2-ssl", 0, sendsProxy(proxy.ProxyV2, "ssl"), supported, ""},
	{"send-proxy-v2-ssl-cn", 0, sendsProxy(proxy.ProxyV2, "ssl", "cert-cn"), supported, ""},
	{"slowstart", 1, (*serverLine).slowStart, supported, ""},
	{"source", 1, (*serverLine).source, supported, ""},
	{"tcp-ut", 1, func(o *serverLine) { o.s.proxy.TCPUserTimeout = o.duration() }, supported, ""},
	{"tfo", 0, func(o *serverLine) { o.s.proxy.TFO = true }, supported, ""},
	{"track", 1, func(o *serverLine) { o.probe().Track = o.value() }, supported, ""},
	{"weight", 1, func(o *serverLine) { o.s.balance.Weight = o.integer(0, 256) }, supported, ""},

	{"agent-addr", 1, nil, ignored, "agent-check is refused"},
	{"agent-check", 0, nil, refused, noAgents},
	{"agent-inter", 1, nil, ignored, "agent-check is refused"},
	{"agent-port", 1, nil, ignored, "agent-check is refused"},
	{"agent-send", 1, nil, ignored, "agent-check is refused"},
	{"no-agent-check", 0, nil, ignored, "weir has no agent checks"},
	{"cc", 1, nil, refused, "set net.ipv4.tcp_congestion_control instead"},
	{"check-pool-conn-name", 1, nil, ignored, "checks use connections of their own"},
	{"check-reuse-pool", 0, nil, ignored, "checks use connections of their own"},
	{"no-check-reuse-pool", 0, nil, ignored, "checks use connections of their own"},
	{"check-via-socks4", 0, nil, refused, "weir does not speak SOCKS"},
	{"guid", 1, nil, ignored, "it only names counters"},
	{"hash-key", 1, func(o *serverLine) { o.hashKey() }, supported, "id only"},
	{"healthcheck", 1, nil, refused, "checks are described in the backend"},
	{"idle-ping", 1, nil, ignored, "weir speaks HTTP/1 to servers"},
	{"log-bufsize", 1, nil, ignored, "it belongs to rings"},
	{"log-proto", 1, nil, ignored, "it belongs to rings"},
	{"namespace", 1, nil, refused, "weir connects in its own network namespace"},
	{"non-stick", 0, nil, ignored, noTables},
	{"pool-conn-name", 1, nil, ignored, "it only tells TLS connections apart"},
	{"resolve-net", 1, nil, ignored, noResolvers},
	{"resolve-opts", 1, nil, ignored, noResolvers},
	{"resolve-prefer", 1, nil, ignored, noResolvers},
	{"set-proxy-v2-tlv-fmt", 2, nil, refused, "weir sends the TLVs of proxy-v2-options only"},
	{"shard", 1, nil, ignored, "it belongs to peers"},
	{"socks4", 1, nil, refused, "weir does not speak SOCKS"},
	{"stick", 0, nil, ignored, noTables},
	{"strict-maxconn", 0, nil, refused, "weir's maxconn counts requests, as HAProxy's does without it"},
	{"tcp-md5sig", 1, nil, refused, "weir does not sign TCP segments"},
	{"ws", 1, func(o *serverLine) { o.choice("auto", "h1") }, supported, "auto and h1"},
}

// hashKey says what the consistent hash ring places servers by; weir places
// them by id.
func (o *serverLine) hashKey() {
	if v := o.choice("id", "addr", "addr-port"); v != "id" && v != "" {
		o.fail("hash-key %s: weir does not support this yet; servers are placed by id", v)
	}
}
