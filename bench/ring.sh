#!/usr/bin/env bash
# weir with and without io_uring (-dU): CPU for one keep-alive HTTP/1.1 request.
# Both run at once, but only one has load at a time: their two wrk are stopped and
# continued in turns of SLICE seconds, so that a machine whose speed drifts is the
# same for both. Server and load have core 0, weir has core 1. Prints a line a
# round and the ratios.
#   bench/ring.sh [connections] [rounds] [seconds]     SLICE=0.1 WEIR_BIN=path
set -euo pipefail
conns=${1:-64} rounds=${2:-7} seconds=${3:-4} slice=${SLICE:-0.1}
top=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
weir=${WEIR_BIN:-$dir/weir}
[ -n "${WEIR_BIN:-}" ] || (cd "$top" && CGO_ENABLED=0 go build -trimpath -o "$weir" ./cmd/weir)
pids=() loads=()
end() {
	for pid in "${loads[@]}"; do kill -CONT "$pid" 2>/dev/null && kill -KILL "$pid" 2>/dev/null; done
	kill "${pids[@]}" 2>/dev/null
	wait
	rm -rf "$dir"
}
trap 'end 2>/dev/null || true' EXIT

body=$(head -c 128 /dev/zero | tr '\0' x)
cat >"$dir/nginx.conf" <<EOF
worker_processes 1; daemon off; pid $dir/nginx.pid; error_log $dir/nginx.log;
events { worker_connections 8192; }
http { access_log off; keepalive_requests 100000000; keepalive_timeout 300;
  server { listen 127.0.0.1:18080 backlog=8192; location / { return 200 "$body"; } } }
EOF
cat >"$dir/proxy.cfg" <<EOF
global
	maxconn 5000
	nbthread 1
defaults
	mode http
	option forwardfor
	timeout connect 5s
	timeout client 60s
	timeout server 60s
frontend fe
	bind 127.0.0.1:\${PORT}
	default_backend be
backend be
	server s1 127.0.0.1:18080
EOF
names=(without with) ports=(18081 18082) proxies=()
taskset -c 0 nginx -c "$dir/nginx.conf" & pids+=($!)
PORT=18081 taskset -c 1 "$weir" -f "$dir/proxy.cfg" -db -dU 2>"$dir/without.log" & pids+=($!); proxies+=($!)
PORT=18082 taskset -c 1 "$weir" -f "$dir/proxy.cfg" -db 2>"$dir/with.log" & pids+=($!); proxies+=($!)
for port in 18080 "${ports[@]}"; do
	for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.05; done
done

cpu() { awk '{print $14 + $15}' "/proc/$1/stat"; } # clock ticks of user and system
turns=$(awk -v s="$seconds" -v t="$slice" 'BEGIN { print int(s / t) }')
echo "# $(uname -r) $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo) connections=$conns seconds=$seconds slice=$slice commit=$(cd "$top" && git rev-parse --short HEAD); $("$weir" -vv | grep io_uring)"
for round in $(seq "$rounds"); do
	before=() loads=()
	for i in 0 1; do
		before+=("$(cpu "${proxies[i]}")")
		taskset -c 0 wrk -t1 -c "$conns" -d 1000s --timeout 100s "http://127.0.0.1:${ports[i]}/" >"$dir/out$i" & loads+=($!)
		sleep "$(awk -v c="$conns" 'BEGIN { print 0.15 + c / 4000 }')" # it connects
		kill -STOP "${loads[i]}"
	done
	for turn in $(seq "$turns"); do
		for k in 0 1; do
			i=$(((k + turn + round) % 2))
			kill -CONT "${loads[i]}"; sleep "$slice"; kill -STOP "${loads[i]}"
			sleep 0.005 # what is under way comes to its end
		done
	done
	cost=()
	for i in 0 1; do
		kill -CONT "${loads[i]}"
		while kill -INT "${loads[i]}" 2>/dev/null; do sleep 0.1; done
		after=$(cpu "${proxies[i]}")
		cost+=("$(awk -v t=$((after - before[i])) -v e="$(grep -c 'Non-2xx\|Socket errors' "$dir/out$i" || true)" \
			'/requests in/ { printf "%.2f requests %d errors %d", t * 10000 / $1, $1, e }' "$dir/out$i")")
		echo "${names[i]} cpu_us_per_request ${cost[i]}"
	done
	loads=()
	awk -v a="${cost[0]}" -v b="${cost[1]}" 'BEGIN { printf "ratio %.3f\n", b / a }' | tee -a "$dir/ratios"
done
echo "# median ratio, with io_uring to without: $(sort -k2 -n "$dir/ratios" | awk '{a[NR] = $2} END {print a[int((NR + 1) / 2)]}')"
