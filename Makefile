# Everything goes through here; `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PATH := $(HOME)/.cargo/bin:$(PATH)

# Name of the demo's cluster, and the node it gets: real, or simulated (control plane only).
NODE ?= real
CLUSTER ?= demo
# What `make bench` measures.
SCENARIO ?= small
RUN_BENCH := dev/release cargo run --quiet --locked --release --package polder-bench --bin

.PHONY: help demo demo-down cluster cluster-down build dist generate book check fmt lint deny audit \
	reproducible test bench bench-offline test-unit test-apiserver test-chart test-e2e clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Local cluster with a real node, Polder through its chart, the quickstart with real Spark; KUBECONFIG=... takes your cluster
	@dev/demo up $(if $(filter command line,$(origin KUBECONFIG)),--kubeconfig $(KUBECONFIG))

demo-down: ## Stop the demo and leave nothing behind
	@dev/demo down

cluster: ## A local cluster alone: CLUSTER=name NODE=real|simulated
	@dev/cluster deps --node $(NODE)
	@dev/cluster up $(CLUSTER) --node $(NODE)

cluster-down: ## Stop a local cluster: CLUSTER=name
	@dev/cluster down $(CLUSTER)

build: ## Build the release binary, the same bytes in any folder, and what an image tells of its parts
	@dev/release
	@dev/notices target/notices

dist: ## dist/: chart, plain manifests for kubectl (VALUES=file), bill of materials
	@dev/dist $(VALUES)

generate: ## Write the generated files: CRDs in the chart, the reference
	@dev/generate

book: ## Build the documentation into target/book; fails on links that lead nowhere
	@dev/book

check: fmt lint generated ## Format, clippy and generated files, as CI checks them

fmt: ## Check the format
	cargo fmt --all --check

lint: ## Clippy, warnings are errors
	cargo clippy --locked --workspace --all-targets -- -D warnings

.PHONY: generated
generated: ## Check that generated files are what the code says
	@dev/generate --check

deny: ## Licences, bans and sources of dependencies
	@"$$(dev/tool cargo-deny)" --locked check --hide-inclusion-graph bans licenses sources

reproducible: ## Build the binary in two folders and compare the bytes; takes two builds
	@dev/release --check

audit: ## Known vulnerabilities and yanked versions of dependencies; fetches RustSec's database
	@"$$(dev/tool cargo-deny)" --locked check advisories

bench: ## Measure a fleet next to the floor: SCENARIO=small|domains|idle|restart|... N=50,200 ARGS=...
	@dev/cluster build --node simulated
	@$(RUN_BENCH) fleet -- --scenario $(SCENARIO) $(if $(N),--n $(N)) $(ARGS)

bench-offline: ## Time polder lint and polder plan on a thousand manifests: ARGS="DOMAINS WORKLOADS"
	@$(RUN_BENCH) offline -- $(ARGS)

test: ## All tests: unit, golden, schema, API server, chart, real node with real Spark
	@dev/test all

test-unit: ## Fast tests that need no cluster
	@dev/test unit

test-apiserver: ## Tests on a real control plane with simulated nodes
	@dev/test apiserver

test-chart: ## The chart with Helm 3 and 4: install, upgrade, roll back, uninstall, refusals
	@dev/test chart

test-e2e: ## Tests on a real node with real Spark
	@dev/test e2e

clean: ## Stop all local clusters and remove build output
	@dev/cluster down --all
	cargo clean
