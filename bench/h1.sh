#!/usr/bin/env bash
# Keep-alive HTTP/1.1 through weir and HAProxy in turn: CPU of the proxy for one
# request, and latency. The server (nginx) and the load (wrk) share one core,
# the proxy has the other. Prints one line a run and the medians' ratios.
#   bench/h1.sh [connections] [rounds] [seconds]
set -euo pipefail
conns=${1:-64} rounds=${2:-5} seconds=${3:-5}
top=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
weir=${WEIR_BIN:-$dir/weir}
[ -n "${WEIR_BIN:-}" ] || (cd "$top" && CGO_ENABLED=0 go build -trimpath -o "$weir" ./cmd/weir)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$dir"' EXIT

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
	timeout http-keep-alive 60s
frontend fe
	bind 127.0.0.1:\${PORT}
	default_backend be
backend be
	server s1 127.0.0.1:18080
EOF
taskset -c 0 nginx -c "$dir/nginx.conf" & pids+=($!)
PORT=18081 taskset -c 1 haproxy -f "$dir/proxy.cfg" -db >"$dir/haproxy.log" 2>&1 & pids+=($!); haproxy_pid=$!
PORT=18082 taskset -c 1 "$weir" -f "$dir/proxy.cfg" -db >"$dir/weir.log" 2>&1 & pids+=($!); weir_pid=$!
for port in 18080 18081 18082; do
	for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; read -rt 0.05 <> <(:) || true; done
done

cpu() { awk '{print $14 + $15}' "/proc/$1/stat"; } # clock ticks of user and system
one() { # name pid port
	local before after out reqs p99
	before=$(cpu "$2")
	out=$(taskset -c 0 wrk -t1 -c "$conns" -d "${seconds}s" --latency "http://127.0.0.1:$3/")
	after=$(cpu "$2")
	reqs=$(awk '/requests in/ {print $1}' <<<"$out")
	p99=$(awk '$1 == "99%" {print $2}' <<<"$out")
	awk -v n="$1" -v t=$((after - before)) -v r="$reqs" -v p="$p99" -v s="$seconds" -v e="$(grep -c 'Non-2xx\|Socket errors' <<<"$out" || true)" \
		'BEGIN { printf "%s cpu_us_per_request %.2f requests_per_s %.0f p99 %s errors %s\n", n, t * 10000 / r, r / s, p, e }'
}
echo "# $(uname -r) $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo) connections=$conns seconds=$seconds haproxy=$(haproxy -v | awk 'NR==1{print $3}') commit=$(cd "$top" && git rev-parse --short HEAD)"
one warmup "$haproxy_pid" 18081 >/dev/null; one warmup "$weir_pid" 18082 >/dev/null
for _ in $(seq "$rounds"); do
	one haproxy "$haproxy_pid" 18081
	one weir "$weir_pid" 18082
done | tee "$dir/raw"
median() { awk -v n="$1" '$1 == n {print $3}' "$dir/raw" | sort -n | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }
awk -v w="$(median weir)" -v h="$(median haproxy)" 'BEGIN { printf "# medians: weir %.2f us, haproxy %.2f us, ratio %.3f\n", w, h, w / h }'
