.DEFAULT_GOAL := help
.PHONY: help build release test-release install uninstall up down restart status logs psql env cluster-up cluster-down cluster-status test check-style test-unit test-jwt test-pgbouncer test-api-fuzz test-browser test-monitoring test-cluster restore-drill test-faults soak test-compose test-sanitize fuzz bench bench-micro bench-instructions

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

up: ## build, migrate and start everything; the API answers on port 5051 (API_PORT=… moves it)
	@scripts/dev up

down: ## stop everything; the data stays
	@scripts/dev down

restart: ## build and migrate, and replace the worker
	@scripts/dev restart

status: ## what runs
	@scripts/dev status

logs: ## follow the logs
	@scripts/dev logs

psql: ## open the database
	@scripts/dev psql

env: ## print the exports that point other tools at it: eval "$(make -s env)"
	@scripts/dev env

cluster-up: ## the API on port 5151 (CLUSTER_PORT=…), with a cluster of three Postgres nodes on this machine: docs/cluster.md
	@scripts/dev prepare-cluster && scripts/build && scripts/trial-cluster up

cluster-down: ## stop the cluster; its data stays
	@scripts/trial-cluster down

cluster-status: ## the nodes of the cluster, and the API
	@scripts/trial-cluster status

test: ## all tests: unit, feature (a real Postgres), end to end (nginx, worker and Postgres), instructions, and the pages in a browser
	@scripts/test all
	@if scripts/dev prepare-instructions; then $(MAKE) -s bench-instructions; else echo "instructions were not counted: valgrind cannot be installed here"; fi
	@if scripts/test-browser --prepare; then scripts/test-browser; else echo "the pages were not tested: Chromium and its packages cannot be installed here"; fi

check-style: ## the format, spelling and links, and that public declarations are documented: a part of make test
	@scripts/check-style

test-unit: ## the tests that need no server
	@scripts/test unit

test-jwt: ## AUTH=jwt, with the trait JWT, in a build of its own: .build-jwt
	@scripts/test jwt

test-pgbouncer: ## the feature tests, through a PgBouncer that pools transactions
	@scripts/test pgbouncer

test-api-fuzz: ## random requests by the OpenAPI document, and a client made from it; API_FUZZ_SEED (1), API_FUZZ_CASES (100)
	@scripts/test-api-fuzz

test-browser: ## the console, the documentation and the page of /status, used with a headless Chromium; screenshots are in .local/screenshots
	@scripts/test-browser

test-monitoring: ## docs/monitoring, with a Prometheus that reads the running service
	@scripts/test-monitoring

test-cluster: ## back a cluster up and restore it, and take its primary away, in five ways, CLUSTER_ROUNDS (3) times each, under load; a seed is printed
	@scripts/test-cluster

restore-drill: ## back up a running service, destroy its data and restore them, to a point in time and to the end (docs/backups.md)
	@scripts/restore-drill

test-faults: ## the whole service under load and random faults, for FAULT_SECONDS (1800); a failing seed is printed
	@scripts/test faults

soak: ## the whole service under a steady load with reloads, for SOAK_MINUTES (30): nothing may grow
	@scripts/test faults --soak '$(or $(SOAK_MINUTES),30)'

test-compose: ## docker-compose.yml, under load, with what it must survive (needs a Docker engine)
	@scripts/test-compose

test-sanitize: ## the unit and feature tests under the address sanitizer and the thread sanitizer
	@scripts/test-sanitize

fuzz: ## fuzz everything that reads bytes from outside, each target for FUZZ_SECONDS (60)
	@scripts/fuzz

bench: ## the API beside references in C and other stacks: Benchmarks/RESULTS.md; BENCH_SECONDS (2), BENCH_ROUNDS (5), BENCH_ROWS (1000000)
	@scripts/bench

bench-micro: ## what our own layers cost for a request, without nginx and Postgres
	@scripts/build bench-micro && .build/release/bench-micro

bench-instructions: ## instructions a request by valgrind, against Benchmarks/instructions.txt; UPDATE=1 writes it anew
	@scripts/build && python3 -B Benchmarks/compare/instructions.py

release: ## the Debian package, its SBOM, the images (with a Docker engine) and SHA256SUMS, in .local/release: docs/release.md
	@scripts/release

test-release: ## install, use, remove and purge the Debian package in a container that systemd runs (needs a Docker engine)
	@scripts/test-release

build: ## build the program as it is shipped: .build/release/aktify
	@scripts/dev prepare-build && scripts/build

install: ## put the program, systemd's units and nginx's configuration under PREFIX (/usr/local); DESTDIR goes before it
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' SYSCONFDIR='$(SYSCONFDIR)' scripts/install install

uninstall: ## remove what install has put there; the configuration stays
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' SYSCONFDIR='$(SYSCONFDIR)' scripts/install uninstall
