# streamgauge: `make reproduce` runs the main job, `make test` every test. Both share one cargo profile (release).
PYTHON ?= python3
CARGO ?= cargo
EXPERIMENT ?= experiments/reproduce.toml
TARGET = $(or $(CARGO_TARGET_DIR),target)

.PHONY: help runtime runtime-cuda build test lint browser examples reproduce regress parity goldens foreign zoo bench bench-device scale clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

runtime: ## fetch the pinned ONNX Runtime library (hash checked)
	@$(PYTHON) scripts/fetch_runtime.py

runtime-cuda: ## fetch the pinned ONNX Runtime for NVIDIA cards with NVIDIA's libraries (hash checked, 1.3 GB)
	@$(PYTHON) scripts/fetch_runtime.py --cuda

build: runtime ## build the program
	$(CARGO) build --release --locked

test: runtime ## build and run every test
	$(CARGO) test --release --locked

lint: ## format check and clippy, warnings are errors
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings

reproduce: build ## plan, run what is missing, judge, report
	@$(CARGO) run --release --locked --quiet -- run $(EXPERIMENT)

browser: .venv/browser/ready ## open the HTML report in headless Chromium, check it, leave screenshots beside it
	@.venv/browser/bin/python scripts/report/check.py results/report/index.html

.venv/browser/ready: scripts/report/requirements.txt
	$(PYTHON) -m venv .venv/browser
	.venv/browser/bin/python -m pip install --quiet -r scripts/report/requirements.txt
	@touch $@

examples: .venv/examples/ready ## the tables of the last run in pandas, DuckDB and R (if it is there): they must agree
	@.venv/examples/bin/python scripts/examples/check.py $(TARGET)/release/streamgauge results

.venv/examples/ready: scripts/examples/requirements.txt
	$(PYTHON) -m venv .venv/examples
	.venv/examples/bin/python -m pip install --quiet -r scripts/examples/requirements.txt
	@touch $@

# cpu, cuda, cuda:N: where parity and bench-device compute.
DEVICE ?= cpu
DEVICE_NAME = $(if $(filter-out cpu,$(DEVICE)),-$(subst :,,$(DEVICE)))
parity: $(if $(DEVICE_NAME),runtime-cuda,runtime) ## measure every golden and write results/parity.md (DEVICE=cuda: parity-cuda.md)
	STREAMGAUGE_DEVICE=$(DEVICE) PARITY_TABLE=$(CURDIR)/results/parity$(DEVICE_NAME).md \
	  $(CARGO) test --release --locked --quiet --test parity every_golden

regress: build ## run anew and compare with results/baseline (exit code 8: something moved)
	@$(CARGO) run --release --locked --quiet -- regress $(EXPERIMENT)

goldens: .venv/ready ## remake the reference observations, headers and statistics of the tests
	.venv/bin/python scripts/reference/make_goldens.py
	.venv/bin/python scripts/reference/make_headers.py
	.venv/bin/python scripts/reference/make_stats.py
	.venv/bin/python scripts/reference/make_stats_extra.py
	.venv/bin/python scripts/reference/make_stats_tests.py
	.venv/bin/python scripts/reference/make_weights.py
	.venv/bin/python scripts/reference/make_spectra.py

foreign: build ## remake the decoders of other tools, check what tap makes of them and what tools make of exports
	$(PYTHON) -m venv .venv/foreign && .venv/foreign/bin/pip install --quiet -r scripts/reference/requirements-foreign.txt
	$(PYTHON) -m venv .venv/optimum && .venv/optimum/bin/pip install --quiet -r scripts/reference/requirements-optimum.txt
	.venv/foreign/bin/python scripts/reference/make_foreign.py torch genai fused
	.venv/optimum/bin/python scripts/reference/make_foreign.py optimum
	.venv/foreign/bin/python scripts/reference/make_foreign.py check $(TARGET)/release/streamgauge
	.venv/foreign/bin/python scripts/reference/check_exports.py $(TARGET)/release/streamgauge

zoo: .venv/ready ## retrain the small checkpoints in data/zoo
	.venv/bin/python scripts/zoo/train.py
	.venv/bin/python scripts/zoo/check.py

BENCH = results/bench/1b
bench: build .venv/ready ## 1.1 B parameters, 25 prompts: wall time and memory, ours and transformers
	@test -f $(BENCH)/model.safetensors || .venv/bin/python scripts/bench/make_checkpoint.py $(BENCH) --shape 1b
	.venv/bin/python scripts/bench/bench.py --checkpoint $(BENCH) --repeats 5 --name 1b \
	  "streamgauge=$(TARGET)/release/streamgauge measure {checkpoint} --store {scratch} --json {tokens}" \
	  "transformers float32=.venv/bin/python scripts/bench/peer_transformers.py {checkpoint}"

bench-device: build $(if $(DEVICE_NAME),runtime-cuda) .venv/ready ## one model on DEVICE: seconds, rate of streamed weights, memory of the card (SHAPE=8b)
	@test -f results/bench/$(SHAPE)/model.safetensors || \
	  .venv/bin/python scripts/bench/make_checkpoint.py results/bench/$(SHAPE) --shape $(SHAPE)
	.venv/bin/python scripts/bench/device.py results/bench/$(SHAPE) --device $(DEVICE) \
	  --program $(TARGET)/release/streamgauge
SHAPE ?= 8b

scale: ## the full multiverse of all hypotheses on a made-up million rows: time and memory, results/bench/judge.md
	$(CARGO) run --release --locked --quiet --example judge_scale results/bench/judge.md

.venv/ready: scripts/reference/requirements.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet -r scripts/reference/requirements.txt
	@touch $@

clean: ## remove what was built, fetched and stored
	rm -rf target .runtime .venv results/store results/report results/tables results/verdicts.json $(BENCH)
