.DEFAULT_GOAL := help
.PHONY: help build release test-release install uninstall up down restart status logs psql env cluster-up cluster-down cluster-status test check-style test-unit test-jwt test-pgbouncer test-api-fuzz test-browser test-monitoring test-cluster restore-drill test-faults soak test-compose test-sanitize fuzz bench bench-micro bench-instructions

help: ## list the targets (default)
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

up: ## build, migrate and start the whole stack; the API listens on port 5051 (API_PORT)
	@scripts/dev up

down: ## stop the whole stack; the data is kept
	@scripts/dev down

restart: ## rebuild, migrate and reload the workers, without dropping requests
	@scripts/dev restart

status: ## show the status of the master, nginx and Postgres
	@scripts/dev status

logs: ## follow the logs
	@scripts/dev logs

psql: ## open psql on the database, as superuser
	@scripts/dev psql

env: ## print the environment that points other tools at the database: eval "$(make -s env)"
	@scripts/dev env

cluster-up: ## build and start a local cluster: three Postgres nodes, and the API on port 5151 (CLUSTER_PORT); docs/cluster.md
	@scripts/dev prepare-cluster && scripts/build && scripts/trial-cluster up

cluster-down: ## stop the local cluster; its data is kept
	@scripts/trial-cluster down

cluster-status: ## show the status of the cluster's nodes and of its API
	@scripts/trial-cluster status

test: ## run all tests: unit, feature (with Postgres), end-to-end (with nginx, master, workers and Postgres), instruction counts, browser
	@scripts/test all
	@if scripts/dev prepare-instructions; then $(MAKE) -s bench-instructions; else echo "skipped: instruction counts (valgrind cannot be installed here)"; fi
	@if scripts/test-browser --prepare; then scripts/test-browser; else echo "skipped: browser tests (Chromium and its packages cannot be installed here)"; fi

check-style: ## check format, spelling, links and doc comments; part of make test
	@scripts/check-style

test-unit: ## run the unit tests, which need no server
	@scripts/test unit

test-jwt: ## run the tests of AUTH=jwt, which needs the package trait JWT, in a separate build directory: .build-jwt
	@scripts/test jwt

test-pgbouncer: ## run the feature tests through PgBouncer in transaction pooling mode
	@scripts/test pgbouncer

test-api-fuzz: ## test the API against its OpenAPI document: fuzzed requests and a generated client; API_FUZZ_SEED (1), API_FUZZ_CASES (100)
	@scripts/test-api-fuzz

test-browser: ## test the console, the documentation and the status page in a headless Chromium; screenshots are in .local/screenshots
	@scripts/test-browser

test-monitoring: ## test docs/monitoring with a Prometheus that scrapes a running service
	@scripts/test-monitoring

test-cluster: ## test a cluster under load: backup, restore, and five kinds of primary failure, CLUSTER_ROUNDS (3) times each; prints a seed
	@scripts/test-cluster

restore-drill: ## back up a running service, destroy its data and restore it, to a point in time and to the end of the WAL (docs/backups.md)
	@scripts/restore-drill

test-faults: ## test the whole service under load with random faults, for FAULT_SECONDS (1800); prints the seed of a failure
	@scripts/test faults

soak: ## run the whole service under steady load with reloads for SOAK_MINUTES (30), and check that no resource usage grows
	@scripts/test faults --soak '$(or $(SOAK_MINUTES),30)'

test-compose: ## test docker-compose.yml under load, with restarts, scaling and failures (needs a Docker engine)
	@scripts/test-compose

test-sanitize: ## run the unit and feature tests under the address sanitizer and the thread sanitizer
	@scripts/test-sanitize

fuzz: ## fuzz everything that parses untrusted input, each target for FUZZ_SECONDS (60)
	@scripts/fuzz

bench: ## benchmark the API against C references and other stacks (Benchmarks/RESULTS.md); BENCH_SECONDS (2), BENCH_ROUNDS (5), BENCH_ROWS (1000000)
	@scripts/bench

bench-micro: ## benchmark the layers of the application itself, without nginx and Postgres
	@scripts/build bench-micro && .build/release/bench-micro

bench-instructions: ## count instructions per request with valgrind, and compare with Benchmarks/instructions.txt; UPDATE=1 rewrites it
	@scripts/build && python3 -B Benchmarks/compare/instructions.py

release: ## make the Debian package, its SBOM, the images (with a Docker engine) and SHA256SUMS in .local/release: docs/release.md
	@scripts/release

test-release: ## test the Debian package in a container with systemd: install, use, remove, purge (needs a Docker engine)
	@scripts/test-release

build: ## build the release program: .build/release/aktify
	@scripts/dev prepare-build && scripts/build

install: ## install the program, the systemd units and the nginx configuration under PREFIX (/usr/local); DESTDIR is prepended
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' SYSCONFDIR='$(SYSCONFDIR)' scripts/install install

uninstall: ## remove what install has installed; changed configuration files are kept
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' SYSCONFDIR='$(SYSCONFDIR)' scripts/install uninstall
