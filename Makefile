# weir. "make" prints what there is.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

GO ?= $(shell command -v go || echo /usr/local/go/bin/go)
export CGO_ENABLED ?= 0
export WEIR_WITHOUT ?=

# How long each fuzz target runs, and how many rounds a benchmark has.
FUZZTIME ?= 20s
COUNT    ?= 10
BENCH    ?=
PKG      ?= ./...

# Packages whose tests run other programs or look at the source; they have
# nothing to gain from the race detector or another processor.
OUTSIDE   = /internal/difftest$$|/internal/tidy$$|/examples/|/bench$$|/bench/contender$$
INSIDE    = $$($(GO) list ./... | grep -vE '$(OUTSIDE)')
PORTABLE  = $$($(GO) list ./... | grep -vE '$(OUTSIDE)|/cmd/|/bench')

.DEFAULT_GOAL := help
.PHONY: help run build install check test race e2e allocs fmt vet staticcheck tidy \
        golden fuzz fuzz-long bench bench-full microbench bench-cmp cover docs compat arm64 needs clean

help: ## print this
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

run: build ## weir in front of small demo servers, on 127.0.0.1:8080
	$(GO) build -o bin/demo ./examples/demo
	exec bin/demo -weir bin/weir

build: ## bin/weir
	$(GO) build -trimpath -o bin/weir ./cmd/weir

install: ## weir into $GOBIN
	$(GO) install -trimpath ./cmd/weir

check: fmt vet staticcheck tidy ## what a commit must pass, within a minute
	$(GO) test $(INSIDE)

test: needs ## every test but long fuzzing
	$(GO) test ./...

race: ## the tests under the race detector (needs gcc)
	CGO_ENABLED=1 WEIR_RACE=1 $(GO) test -race $(INSIDE)

e2e: needs ## real sockets, processes, and HAProxy beside weir
	$(GO) test ./cmd/... ./proxy ./listener ./internal/difftest

allocs: ## tests that count allocations
	$(GO) test -run 'Alloc' $(INSIDE)

fmt: ## gofmt finds nothing to do
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "gofmt -w these:"; echo "$$out"; exit 1; }

vet: ## go vet
	$(GO) vet ./...

staticcheck: ## the pinned staticcheck
	$(GO) tool staticcheck ./...

tidy: ## the repository's own rules (internal/tidy), go.mod
	$(GO) test ./internal/tidy
	$(GO) mod tidy -diff

golden: ## rewrite golden files, show what changed
	UPDATE=1 $(GO) test ./config
	git diff --stat

fuzz: ## every fuzz target for FUZZTIME (20s)
	@.ci/fuzz $(FUZZTIME)

fuzz-long: ## every fuzz target for 10 minutes
	@.ci/fuzz 10m

bench: ## weir beside HAProxy, nginx, Caddy and the floor: the main table, 9 minutes (BENCH=flags)
	$(GO) build -trimpath -o bin/bench ./bench
	bin/bench -seconds 0.5 $(BENCH)

bench-full: ## every scenario of bench/, hours (BENCH=flags)
	$(GO) build -trimpath -o bin/bench ./bench
	bin/bench -full $(BENCH)

microbench: ## Go benchmarks, COUNT rounds, into bench/out/
	@mkdir -p bench/out
	$(GO) test -run '^$$' -bench . -count $(COUNT) $(PKG) | tee bench/out/$$(git rev-parse --short HEAD).txt

bench-cmp: ## Go benchmarks of BASE (main) and of the tree alternately, compared
	@.ci/bench-cmp $${BASE:-main} $(COUNT) $(PKG)

cover: ## coverage page: bin/cover.html
	@mkdir -p bin
	$(GO) test -coverprofile bin/cover.out $(INSIDE)
	$(GO) tool cover -html bin/cover.out -o bin/cover.html

docs: compat ## what is generated in docs/

compat: ## docs/compat.md from the table of keywords
	UPDATE=1 $(GO) test ./config -run 'Compat'

arm64: ## build for arm64 and run the unit tests there (needs qemu-user)
	GOARCH=arm64 $(GO) build ./...
	GOARCH=arm64 WEIR_WITHOUT=io_uring $(GO) test -exec qemu-aarch64 -skip '^TestE2E' $(PORTABLE)

# Some tests hold weir against other programs; without these they would prove
# nothing, so they fail. WEIR_WITHOUT=caddy,strace says that you know.
needs:
	@missing=; need() { case "$${WEIR_WITHOUT:-}" in *$$1*) ;; *) test -e $$3 || command -v $$1 >/dev/null || missing="$$missing $$2";; esac; }; \
	need haproxy haproxy /usr/sbin/haproxy; need nginx nginx /usr/sbin/nginx; \
	need nginx libnginx-mod-stream /usr/lib/nginx/modules/ngx_stream_module.so; \
	need caddy caddy /usr/bin/caddy; need strace strace /usr/bin/strace; \
	test -z "$$missing" || { \
	echo "make test needs programs to compare with: apt-get install$$missing"; \
	echo "To run the rest without one of them: make test WEIR_WITHOUT=haproxy,nginx,caddy,strace"; exit 1; }

clean: ## bin/ and bench/out/
	rm -rf bin bench/out
