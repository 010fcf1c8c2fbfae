package config

import (
	"time"

	"github.com/weir-lb/weir/proxy"
)

func global(c *compiler) *proxy.Global { return &c.out.Config.Global }

const (
	noTLS      = "weir does not speak TLS to servers yet"
	noLua      = "weir runs no Lua"
	noDevices  = "weir has no device detection; Debian's HAProxy has none either"
	noCLI      = "weir does not serve run-time commands yet"
	noCompress = "weir does not compress yet, and compression is refused"
	noQUIC     = "weir has no QUIC yet"
	noHTTP2    = "weir has no HTTP/2 yet"
	ownLoops   = "weir schedules its loops itself"
	ownMemory  = "weir's memory is bounded by tune.bufsize, maxconn and its pools"
	epollOnly  = "weir always waits with epoll"
)

const bufSizeMax = 16 << 20 // bytes; more would only hide a mistake

// globalKeywords are the keywords of the global section (manual chapter 3).
var globalKeywords = []keyword{
	{"chroot", inGlobal, args(1, 1), setText(func(c *compiler) *string { return &c.out.Process.Chroot }), "3.1", supported, ""},
	{"close-spread-time", inGlobal, args(1, 1), nil, "3.1", ignored, "a soft stop closes idle connections at once"},
	{"daemon", inGlobal, args(0, 0), setFlag(func(c *compiler) *bool { return &c.out.Process.Daemon }), "3.1", supported, ""},
	{"default-path", inGlobal, args(1, 2), (*compiler).defaultPath, "3.1", supported, ""},
	{"description", inGlobal, args(1, anyNumber), setJoined(func(c *compiler) *string { return &c.out.Process.Description }), "3.1", supported, ""},
	{"fd-hard-limit", inGlobal, args(1, 1), setInteger(func(c *compiler) *int { return &c.out.Process.FDHardLimit }, 0, intMax), "3.1", supported, ""},
	{"gid", inGlobal, args(1, 1), (*compiler).groupOf, "3.1", supported, ""},
	{"group", inGlobal, args(1, 1), (*compiler).groupOf, "3.1", supported, ""},
	{"hard-stop-after", inGlobal, args(1, 1), setDuration(func(c *compiler) *time.Duration { return &global(c).HardStop }), "3.1", supported, ""},
	{"localpeer", inGlobal, args(1, 1), setText(func(c *compiler) *string { return &c.out.Process.LocalName }), "3.1", supported, "sets $HAPROXY_LOCALPEER; weir has no peers yet"},
	{"log", inGlobal | negatable, args(0, anyNumber), (*compiler).globalLog, "3.1", supported, ""},
	{"log-send-hostname", inGlobal, args(0, 1), (*compiler).logSendHostname, "3.1", supported, ""},
	{"log-tag", inGlobal, args(1, 1), setText(func(c *compiler) *string { return &global(c).LogTag }), "3.1", supported, ""},
	{"master-worker", inGlobal, args(0, 1), (*compiler).masterWorker, "3.1", supported, ""},
	{"mworker-max-reloads", inGlobal, args(1, 1), setInteger(func(c *compiler) *int { return &c.out.Process.MaxReloads }, 0, intMax), "3.1", supported, "weir's reloads leave no old worker behind"},
	{"nbproc", inGlobal, args(1, 1), (*compiler).nbproc, "3.1", supported, "1 is accepted and ignored, more is refused; HAProxy refuses both since 2.5"},
	{"nbthread", inGlobal, args(1, 1), setInteger(func(c *compiler) *int { return &c.out.Process.Loops }, 1, loopsMax), "3.1", supported, "the number of weir's loops"},
	{"node", inGlobal, args(1, 1), (*compiler).node, "3.1", supported, ""},
	{"pidfile", inGlobal, args(1, 1), (*compiler).pidFile, "3.1", supported, ""},
	{"presetenv", inGlobal, args(2, 2), (*compiler).environmentLine, "3.1", supported, ""},
	{"resetenv", inGlobal, args(0, anyNumber), (*compiler).environmentLine, "3.1", supported, ""},
	{"setenv", inGlobal, args(2, 2), (*compiler).environmentLine, "3.1", supported, ""},
	{"unsetenv", inGlobal, args(1, anyNumber), (*compiler).environmentLine, "3.1", supported, ""},
	{"set-dumpable", inGlobal | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.out.Process.Dumpable }), "3.1", supported, ""},
	{"strict-limits", inGlobal | negatable, args(0, 0), setFlag(func(c *compiler) *bool { return &c.out.Process.StrictLimits }), "3.1", supported, ""},
	{"uid", inGlobal, args(1, 1), (*compiler).user, "3.1", supported, ""},
	{"ulimit-n", inGlobal, args(1, 1), setInteger(func(c *compiler) *int { return &c.out.Process.UlimitN }, 0, intMax), "3.1", supported, ""},
	{"unix-bind", inGlobal, args(2, anyNumber), (*compiler).unixBindLine, "3.1", supported, ""},
	{"user", inGlobal, args(1, 1), (*compiler).user, "3.1", supported, ""},

	{"maxconn", inGlobal, args(1, 1), setInteger(func(c *compiler) *int { return &c.out.Process.MaxConn }, 0, intMax), "3.2", supported, ""},
	{"maxpipes", inGlobal, args(1, 1), setInteger(func(c *compiler) *int { return &global(c).Tune.MaxPipes }, 0, intMax), "3.2", supported, ""},
	{"max-spread-checks", inGlobal, args(1, 1), setDuration(func(c *compiler) *time.Duration { return &global(c).SpreadMax }), "3.2", supported, ""},
	{"nosplice", inGlobal, args(0, 0), setFlag(func(c *compiler) *bool { return &global(c).Tune.NoSplice }), "3.2", supported, ""},
	{"server-state-base", inGlobal, args(1, 1), setText(func(c *compiler) *string { return &global(c).ServerStateDir }), "3.2", supported, "only names a folder; state files are not read yet"},
	{"spread-checks", inGlobal, args(1, 1), (*compiler).spreadChecks, "3.2", supported, ""},
	{"tune.bufsize", inGlobal, args(1, 1), setSize(func(c *compiler) *int { return &global(c).Tune.BufSize }, 1024, bufSizeMax), "3.2", supported, "from 1024 bytes on"},
	{"tune.http.maxhdr", inGlobal, args(1, 1), setInteger(func(c *compiler) *int { return &global(c).Tune.HTTPMaxHdr }, 1, 32767), "3.2", supported, ""},
	{"tune.http.logurilen", inGlobal, args(1, 1), setSize(func(c *compiler) *int { return &global(c).Tune.LogURILen }, 1, bufSizeMax), "3.2", supported, ""},
	{"tune.idle-pool.shared", inGlobal, args(1, 1), (*compiler).sharedIdlePool, "3.2", supported, "on is accepted and ignored: weir's idle server connections belong to one loop each"},
	{"tune.maxaccept", inGlobal, args(1, 1), (*compiler).maxAccept, "3.2", supported, "-1 means weir's own bound"},
	{"tune.maxrewrite", inGlobal, args(1, 1), setSize(func(c *compiler) *int { return &global(c).Tune.MaxRewrite }, 0, bufSizeMax), "3.2", supported, "at most half of tune.bufsize, as in HAProxy"},
	{"tune.pipesize", inGlobal, args(1, 1), setSize(func(c *compiler) *int { return &global(c).Tune.PipeSize }, 0, bufSizeMax), "3.2", supported, ""},
	{"tune.rcvbuf.client", inGlobal, args(1, 1), setSize(func(c *compiler) *int { return &global(c).Tune.RcvBufClient }, 0, intMax), "3.2", supported, ""},
	{"tune.rcvbuf.server", inGlobal, args(1, 1), setSize(func(c *compiler) *int { return &global(c).Tune.RcvBufServer }, 0, intMax), "3.2", supported, ""},
	{"tune.sndbuf.client", inGlobal, args(1, 1), setSize(func(c *compiler) *int { return &global(c).Tune.SndBufClient }, 0, intMax), "3.2", supported, ""},
	{"tune.sndbuf.server", inGlobal, args(1, 1), setSize(func(c *compiler) *int { return &global(c).Tune.SndBufServer }, 0, intMax), "3.2", supported, ""},

	{"debug", inGlobal, args(0, 0), setFlag(func(c *compiler) *bool { return &c.out.Process.Debug }), "3.3", supported, "removed from HAProxy in 2.x; the same as -d"},
	{"quiet", inGlobal, args(0, 0), setFlag(func(c *compiler) *bool { return &c.out.Process.Quiet }), "3.3", supported, ""},
	{"zero-warning", inGlobal, args(0, 0), setFlag(func(c *compiler) *bool { return &c.out.Process.ZeroWarning }), "3.3", supported, ""},

	{"cpu-map", inGlobal, args(2, anyNumber), (*compiler).cpuMap, "3.1", supported, "checked and ignored: use taskset or a cpuset"},
	{"h1-case-adjust", inGlobal, args(2, 2), (*compiler).h1CaseAdjust, "3.1", supported, "checked and ignored: the options that use it are refused"},
	{"stats socket", inGlobal, args(1, anyNumber), (*compiler).statsSocket, "3.1", supported, "checked and handed to the command; " + noCLI},

	{"busy-polling", inGlobal | negatable, args(0, 0), nil, "3.2", ignored, "weir polls once before it waits"},
	{"cluster-secret", inGlobal, args(1, 1), nil, "3.1", ignored, noQUIC},
	{"cpu-policy", inGlobal, args(1, 1), nil, "3.1", ignored, ownLoops},
	{"cpu-set", inGlobal, args(1, anyNumber), nil, "3.1", ignored, ownLoops},
	{"dns-accept-family", inGlobal, args(1, 1), nil, "3.1", ignored, "names are resolved by the system's resolver"},
	{"expose-deprecated-directives", inGlobal, args(0, 0), nil, "3.1", ignored, "deprecated forms are accepted in any case"},
	{"expose-experimental-directives", inGlobal, args(0, 0), nil, "3.1", ignored, "weir does not tell experimental keywords apart"},
	{"external-check", inGlobal, args(0, 1), nil, "3.1", ignored, "it only permits option external-check, which is refused"},
	{"force-cfg-parser-pause", inGlobal, args(1, 1), nil, "3.1", ignored, "meant for HAProxy's developers"},
	{"h1-case-adjust-file", inGlobal, args(1, 1), nil, "3.1", ignored, "the options that use it are refused"},
	{"h2-workaround-bogus-websocket-clients", inGlobal | negatable, args(0, 0), nil, "3.1", ignored, noHTTP2},
	{"harden.reject-privileged-ports.tcp", inGlobal, args(1, 1), nil, "3.1", refused, "block source ports with tcp-request connection reject if { src_port lt 1024 }"},
	{"harden.reject-privileged-ports.quic", inGlobal, args(1, 1), nil, "3.1", ignored, noQUIC},
	{"anonkey", inGlobal, args(1, 1), nil, "3.1", ignored, "it only changes what run-time commands dump"},
	{"insecure-fork-wanted", inGlobal | negatable, args(0, 0), nil, "3.1", ignored, "weir starts no programs"},
	{"insecure-setuid-wanted", inGlobal | negatable, args(0, 0), nil, "3.1", ignored, "weir starts no programs"},
	{"limited-quic", inGlobal, args(0, 0), nil, "3.1", ignored, noQUIC},
	{"no-quic", inGlobal, args(0, 0), nil, "3.1", ignored, noQUIC},
	{"max-threads-per-group", inGlobal, args(1, 1), nil, "3.1", ignored, ownLoops},
	{"no-memory-trimming", inGlobal, args(0, 0), nil, "3.2", ignored, ownMemory},
	{"noepoll", inGlobal, args(0, 0), nil, "3.2", ignored, epollOnly},
	{"noevports", inGlobal, args(0, 0), nil, "3.2", ignored, epollOnly},
	{"nokqueue", inGlobal, args(0, 0), nil, "3.2", ignored, epollOnly},
	{"nopoll", inGlobal, args(0, 0), nil, "3.2", ignored, epollOnly},
	{"nogetaddrinfo", inGlobal, args(0, 0), nil, "3.2", ignored, "weir resolves names without libc"},
	{"noreuseport", inGlobal, args(0, 0), nil, "3.2", ignored, "how loops share a socket is weir's own matter"},
	{"numa-cpu-mapping", inGlobal | negatable, args(0, 0), nil, "3.1", ignored, ownLoops},
	{"prealloc-fd", inGlobal, args(0, 0), nil, "3.1", ignored, ownMemory},
	{"profiling.memory", inGlobal, args(1, 1), nil, "3.2", ignored, "weir has Go's profiles"},
	{"profiling.tasks", inGlobal, args(1, 1), nil, "3.2", ignored, "weir has Go's profiles"},
	{"server-state-file", inGlobal, args(1, 1), nil, "3.2", ignored, "state files are not read yet: servers start as the file says"},
	{"shm-stats-file", inGlobal, args(1, 1), nil, "3.1", ignored, "weir's counters live in its process"},
	{"shm-stats-file-max-objects", inGlobal, args(1, 1), nil, "3.1", ignored, "weir's counters live in its process"},
	{"stats bind-process", inGlobal, args(1, anyNumber), nil, "3.1", ignored, noCLI},
	{"stats calculate-max-counters", inGlobal, args(1, 1), nil, "3.1", ignored, noCLI},
	{"stats maxconn", inGlobal, args(1, 1), setInteger(func(c *compiler) *int { return &c.out.Process.StatsMaxConn }, 0, intMax), "3.1", supported, "kept for the command; " + noCLI},
	{"stats timeout", inGlobal, args(1, 1), setDuration(func(c *compiler) *time.Duration { return &c.out.Process.StatsTimeout }), "3.1", supported, "kept for the command; " + noCLI},
	{"stats-file", inGlobal, args(1, 1), nil, "3.1", ignored, "counters are not read back yet"},
	{"thread-group", inGlobal, args(1, anyNumber), nil, "3.1", ignored, ownLoops},
	{"thread-groups", inGlobal, args(1, 1), nil, "3.1", ignored, ownLoops},
	{"thread-hard-limit", inGlobal, args(1, 1), nil, "3.1", ignored, "give the number of loops with nbthread"},
	{"warn-blocked-traffic-after", inGlobal, args(1, 1), nil, "3.1", ignored, ownLoops},

	{"httpclient.resolvers.disabled", inGlobal, args(1, 1), nil, "3.1", ignored, noLua},
	{"httpclient.resolvers.id", inGlobal, args(1, 1), nil, "3.1", ignored, noLua},
	{"httpclient.resolvers.prefer", inGlobal, args(1, 1), nil, "3.1", ignored, noLua},
	{"httpclient.retries", inGlobal, args(1, 1), nil, "3.1", ignored, noLua},
	{"httpclient.ssl.ca-file", inGlobal, args(1, 1), nil, "3.1", ignored, noLua},
	{"httpclient.ssl.verify", inGlobal, args(0, 1), nil, "3.1", ignored, noLua},
	{"httpclient.timeout.connect", inGlobal, args(1, 1), nil, "3.1", ignored, noLua},

	{"51degrees-cache-size", inGlobal, args(1, 1), nil, "3.1", refused, noDevices},
	{"51degrees-data-file", inGlobal, args(1, 1), nil, "3.1", refused, noDevices},
	{"51degrees-property-name-list", inGlobal, args(1, anyNumber), nil, "3.1", refused, noDevices},
	{"51degrees-property-separator", inGlobal, args(1, 1), nil, "3.1", refused, noDevices},
	{"deviceatlas-json-file", inGlobal, args(1, 1), nil, "3.1", refused, noDevices},
	{"deviceatlas-log-level", inGlobal, args(1, 1), nil, "3.1", refused, noDevices},
	{"deviceatlas-properties-cookie", inGlobal, args(1, 1), nil, "3.1", refused, noDevices},
	{"deviceatlas-separator", inGlobal, args(1, 1), nil, "3.1", refused, noDevices},
	{"wurfl-cache-size", inGlobal, args(1, 1), nil, "3.1", refused, noDevices},
	{"wurfl-data-file", inGlobal, args(1, 1), nil, "3.1", refused, noDevices},
	{"wurfl-information-list", inGlobal, args(1, anyNumber), nil, "3.1", refused, noDevices},
	{"wurfl-information-list-separator", inGlobal, args(1, 1), nil, "3.1", refused, noDevices},
	{"wurfl-patch-file", inGlobal, args(1, anyNumber), nil, "3.1", refused, noDevices},
	{"grace", inGlobal, args(1, 1), nil, "3.1", refused, "wait before the SIGUSR1 instead"},
	{"h1-accept-payload-with-any-method", inGlobal, args(0, 0), nil, "3.1", refused, "HTTP/1.0 requests with a body that should have none are rejected"},
	{"h1-do-not-close-on-insecure-transfer-encoding", inGlobal, args(0, 0), nil, "3.1", refused, "such connections are always closed"},
	{"lua-load", inGlobal, args(1, anyNumber), nil, "3.1", refused, noLua},
	{"lua-load-per-thread", inGlobal, args(1, anyNumber), nil, "3.1", refused, noLua},
	{"lua-prepend-path", inGlobal, args(1, 2), nil, "3.1", refused, noLua},
	{"maxcompcpuusage", inGlobal, args(1, 1), nil, "3.2", ignored, noCompress},
	{"maxcomprate", inGlobal, args(1, 1), nil, "3.2", ignored, noCompress},
	{"maxzlibmem", inGlobal, args(1, 1), nil, "3.2", ignored, noCompress},
	{"maxconnrate", inGlobal, args(1, 1), nil, "3.2", refused, "weir has no rate limits yet; maxconn bounds connections"},
	{"maxsessrate", inGlobal, args(1, 1), nil, "3.2", refused, "weir has no rate limits yet; maxconn bounds connections"},
	{"ot-group", inGlobal, args(0, anyNumber), nil, "9.6", refused, "weir has no OpenTracing"},
	{"pp2-never-send-local", inGlobal, args(0, 0), nil, "3.1", refused, "health checks send the LOCAL command, as the protocol says"},
	{"set-var", inGlobal, args(1, anyNumber), nil, "3.1", refused, "set the variable with http-request set-var"},
	{"set-var-fmt", inGlobal, args(1, anyNumber), nil, "3.1", refused, "set the variable with http-request set-var-fmt"},
	{"setcap", inGlobal, args(1, 1), nil, "3.1", refused, "give the process its capabilities from the service manager"},
}
