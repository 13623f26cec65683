# Everything needed is Go, make, git and the Go module proxy. Tools are pinned
# here or in tools/go.mod and never touch the machine outside this folder.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS   += --no-builtin-rules --warn-undefined-variables
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN           := .bin
TMP           := .tmp
GOLANGCI_LINT := $(BIN)/golangci-lint-v2.15.0
GRPCURL       := $(BIN)/grpcurl-v1.9.4
BUF           := go tool -modfile=tools/go.mod buf
FUZZTIME      ?= 20s
BENCHTIME     ?= 1s
SOAKTIME      ?= 2m
ROUNDS        ?= 5
SIMULATE      ?=

# The race detector needs cgo, which Go switches off where it finds no C
# compiler. The tests still run there, and `make test` says what they lacked.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: ## build the program into .bin/confluence-broker
	@mkdir -p $(BIN)
	go build -o $(BIN)/confluence-broker ./cmd/confluence-broker

.PHONY: demo
demo: build ## run simulator and broker together; no Atlassian account needed
	@exec ./$(BIN)/confluence-broker demo

.PHONY: test
test: ## run all tests, with the race detector and in random order
	@test -n "$(RACE)" || echo "make test: there is no C compiler (cgo is off), so these tests run WITHOUT the race detector" >&2
	go test $(RACE) -shuffle=on ./...

.PHONY: soak
soak: ## let callers read for SOAKTIME (2m) while everything goes wrong upstream
	go test $(RACE) -count=1 -timeout 20m -run '^TestSoak$$' -v ./service -soak $(SOAKTIME)

# SIMULATE adds flags: with '--fault face=media,status=403' the checks have to fail.
.PHONY: peers
peers: build ## let two clients that others wrote read the simulator; needs Node 20
	@SIMULATE='$(SIMULATE)' peers/run $(BIN)/confluence-broker $(TMP)/peers

.PHONY: lint
lint: $(GOLANGCI_LINT) ## run the linters on Go and on the API
	@unformatted="$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go'))"; \
	test -z "$$unformatted" || { echo "gofmt would change: $$unformatted" >&2; exit 1; }
	go vet ./...
	$(GOLANGCI_LINT) run ./...
	$(BUF) lint
	$(BUF) format --diff --exit-code

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (20s)
	@for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' "$$pkg" | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$pkg"; \
		done; \
	done

.PHONY: bench
bench: ## compare the broker with bare gRPC, a direct call, a reverse proxy and turndown; prints ratios, and what a stampede, a storm and an outage do
	@peers/install bench/turndown $(TMP)/turndown && turndown=$(TMP)/turndown/turndown.mjs || { test $$? = 3; turndown=; }; \
	go run ./bench -benchtime $(BENCHTIME) -rounds $(ROUNDS) -turndown "$$turndown"
	@go test -count=1 -v -run '^Test(Storm|Outage|Stampede)' ./bench | grep -v '^=== ' # load and outages, in virtual time

.PHONY: generate
generate: ## write the generated Go code and the tables of README.md
	$(BUF) format --write
	$(BUF) generate
	go test ./cmd/confluence-broker -run '^TestReadmeTablesAreUpToDate$$' -update

.PHONY: generated
generated: # fails when generated code differs; a test does the same for README.md
	@rm -rf $(TMP)/generated && mkdir -p $(TMP)/generated
	$(BUF) generate --output $(TMP)/generated
	@diff -r --exclude='*.proto' api $(TMP)/generated/api || { echo "generated code is out of date: run 'make generate'" >&2; exit 1; }

# The API is held against main as it was before this change: origin/main in a
# clone, main otherwise, and the commit before when that is this very commit.
.PHONY: breaking
breaking: # fails when the API breaks callers of main
	@base="$$(git rev-parse --verify --quiet origin/main || git rev-parse --verify --quiet main || true)"; \
	if [ "$$base" = "$$(git rev-parse HEAD)" ]; then base="$$(git rev-parse --verify --quiet HEAD^ || true)"; fi; \
	if [ -z "$$base" ] || ! git cat-file -e "$$base:buf.yaml" 2>/dev/null; then \
		echo "breaking: skipped, there is no earlier API to compare with"; exit 0; \
	fi; \
	rm -rf $(TMP)/base && mkdir -p $(TMP)/base; \
	git archive "$$base" buf.yaml api | tar -x -C $(TMP)/base; \
	echo "breaking: comparing with $$base"; \
	$(BUF) breaking --against $(TMP)/base

.PHONY: check
check: generated lint breaking ## check generated code, format, lint, API changes and go.mod
	go mod tidy -diff

.PHONY: clean
clean: ## remove what was built, tools included
	rm -rf $(BIN) $(TMP)

.PHONY: tools
tools: $(GOLANGCI_LINT) $(GRPCURL) ## build the pinned linter and grpcurl into .bin

# The version is part of the file's name, so that another version builds anew.
$(GOLANGCI_LINT):
	GOBIN=$(CURDIR)/$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	@mv $(BIN)/golangci-lint $@

$(GRPCURL):
	GOBIN=$(CURDIR)/$(BIN) go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4
	@mv $(BIN)/grpcurl $@ && ln -sf $(notdir $@) $(BIN)/grpcurl
