#!/usr/bin/env bash
# TCP relay of 10 MB answers through weir and HAProxy (option splice-auto) in turn:
# megabytes moved for one second of the proxy's CPU. nginx and wrk share one core, the
# proxy has the other.
#   bench/tcp.sh [connections] [rounds] [seconds]
set -euo pipefail
conns=${1:-8} rounds=${2:-5} seconds=${3:-4}
top=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
weir=${WEIR_BIN:-$dir/weir}
[ -n "${WEIR_BIN:-}" ] || (cd "$top" && CGO_ENABLED=0 go build -trimpath -o "$weir" ./cmd/weir)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$dir"' EXIT

mkdir "$dir/www" && head -c 10000000 /dev/zero >"$dir/www/big"
chmod -R a+rX "$dir"
cat >"$dir/nginx.conf" <<EOF
worker_processes 1; daemon off; pid $dir/nginx.pid; error_log $dir/nginx.log;
events { worker_connections 8192; }
http { access_log off; sendfile on; server { listen 127.0.0.1:18090; root $dir/www; } }
EOF
cat >"$dir/proxy.cfg" <<EOF
global
	maxconn 5000
	nbthread 1
defaults
	mode tcp
	option splice-auto
	timeout connect 5s
	timeout client 60s
	timeout server 60s
frontend fe
	bind 127.0.0.1:\${PORT}
	default_backend be
backend be
	server s1 127.0.0.1:18090
EOF
taskset -c 0 nginx -c "$dir/nginx.conf" & pids+=($!)
PORT=18091 taskset -c 1 haproxy -f "$dir/proxy.cfg" -db >"$dir/haproxy.log" 2>&1 & pids+=($!); haproxy_pid=$!
PORT=18092 taskset -c 1 "$weir" -f "$dir/proxy.cfg" -db >"$dir/weir.log" 2>&1 & pids+=($!); weir_pid=$!
for port in 18090 18091 18092; do
	for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; read -rt 0.05 <> <(:) || true; done
done

cpu() { awk '{print $14 + $15}' "/proc/$1/stat"; } # clock ticks of user and system
one() { # name pid port
	local before after out
	before=$(cpu "$2")
	out=$(taskset -c 0 wrk -t1 -c "$conns" -d "${seconds}s" "http://127.0.0.1:$3/big")
	after=$(cpu "$2")
	awk -v n="$1" -v t=$((after - before)) '/ requests in/ { printf "%s mb_per_cpu_second %.0f answers %d\n", n, $1 * 10 / (t / 100), $1 }' <<<"$out"
}
echo "# $(uname -r) connections=$conns seconds=$seconds haproxy=$(haproxy -v | awk 'NR==1{print $3}') commit=$(cd "$top" && git rev-parse --short HEAD)"
one warmup "$haproxy_pid" 18091 >/dev/null; one warmup "$weir_pid" 18092 >/dev/null
for _ in $(seq "$rounds"); do
	one haproxy "$haproxy_pid" 18091
	one weir "$weir_pid" 18092
done | tee "$dir/raw"
median() { awk -v n="$1" '$1 == n {print $3}' "$dir/raw" | sort -n | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }
awk -v w="$(median weir)" -v h="$(median haproxy)" 'BEGIN { printf "# medians: weir %.0f, haproxy %.0f MB per CPU second, ratio %.2f\n", w, h, w / h }'
