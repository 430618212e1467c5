# streamgauge: `make reproduce` runs the main job, `make test` every test. Both share one cargo profile (release).
PYTHON ?= python3
CARGO ?= cargo
EXPERIMENT ?= experiments/reproduce.toml
TARGET = $(or $(CARGO_TARGET_DIR),target)

.PHONY: help runtime runtime-cuda models build test faults lint browser examples reproduce calibrate regress parity goldens foreign fuzz zoo bench bench-quick bench-profile bench-scaling bench-spectral bench-formats bench-export bench-device scale clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

runtime: ## fetch the pinned ONNX Runtime library (hash checked)
	@$(PYTHON) scripts/fetch_runtime.py

runtime-cuda: ## fetch the pinned ONNX Runtime for NVIDIA cards with NVIDIA's libraries (hash checked, 1.3 GB)
	@$(PYTHON) scripts/fetch_runtime.py --cuda

build: runtime ## build the program
	$(CARGO) build --release --locked

test: runtime ## build and run every test
	$(CARGO) test --release --locked --workspace

# make faults ONLY=tap SIZE=100: of commands whose names contain this, so many points of all
faults: runtime ## every call on files and sockets of every command made to fail, one at a time; results/faults.md (an hour)
	FAULTS_TABLE=$(CURDIR)/results/faults.md ONLY=$(ONLY) SIZE=$(SIZE) CALL=$(CALL) FILE=$(FILE) \
	  $(CARGO) test --release --locked --quiet --test faults -- --ignored every_fault

lint: ## format check, clippy (warnings are errors), no cycles of modules, no registration changed
	$(PYTHON) scripts/lint/cycles.py src
	$(PYTHON) scripts/lint/registrations.py results/registered/log.toml
	$(CARGO) fmt --check
	rustfmt --check --edition 2024 src/model/arch/families/*.rs # declared by a macro, which cargo fmt does not look into
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings

# make reproduce OFFLINE=1: nothing is downloaded; without the model the experiment goes on
models: ## fetch the pretrained model of the experiment into data/models (hash checked, 0.1 GB)
	@$(PYTHON) scripts/fetch_models.py $(if $(OFFLINE),--offline)

reproduce: build models ## plan, run what is missing, judge, report
	@$(CARGO) run --release --locked --quiet -- run $(EXPERIMENT)

# make calibrate reports what it found; what it keeps in results/calibration is for the repository
calibrate: build ## how often the judge is wrong, in simulated worlds (minutes; what did not change is not simulated again)
	@$(CARGO) run --release --locked --quiet -- calibrate $(EXPERIMENT)
	@$(CARGO) run --release --locked --quiet -- report $(EXPERIMENT)

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
	  $(if $(DEVICE_NAME),,FAMILIES_TABLE=$(CURDIR)/src/model/arch/families/parity.json) \
	  $(CARGO) test --release --locked --quiet --test checkpoints parity::every_golden

regress: build models ## run anew and compare with results/baseline (exit code 8: something moved)
	@$(CARGO) run --release --locked --quiet -- regress $(EXPERIMENT)

goldens: .venv/ready .venv/quantised/ready ## remake the reference observations, headers and statistics of the tests
	.venv/bin/python scripts/reference/make_goldens.py
	.venv/bin/python scripts/reference/make_headers.py
	.venv/bin/python scripts/reference/make_pickled.py
	.venv/bin/python scripts/reference/make_gguf.py
	.venv/quantised/bin/python scripts/reference/make_quantised.py
	.venv/bin/python scripts/reference/make_tokens.py
	.venv/bin/python scripts/reference/make_older_tokens.py
	.venv/bin/python scripts/reference/make_named_tokens.py
	.venv/bin/python scripts/reference/make_pieces.py
	.venv/bin/python scripts/reference/make_stats.py
	.venv/bin/python scripts/reference/make_stats_extra.py
	.venv/bin/python scripts/reference/make_stats_tests.py
	.venv/bin/python scripts/reference/make_units.py
	.venv/bin/python scripts/reference/make_published.py
	.venv/bin/python scripts/reference/make_weights.py
	.venv/bin/python scripts/reference/make_spectra.py

foreign: build .venv/optimum/ready ## remake the decoders of other tools, check what tap makes of them and what tools make of exports
	$(PYTHON) -m venv .venv/foreign && .venv/foreign/bin/pip install --quiet -r scripts/reference/requirements-foreign.txt
	.venv/foreign/bin/python scripts/reference/make_foreign.py torch genai fused
	.venv/optimum/bin/python scripts/reference/make_foreign.py optimum
	.venv/foreign/bin/python scripts/reference/make_foreign.py check $(TARGET)/release/streamgauge
	.venv/foreign/bin/python scripts/reference/check_exports.py $(TARGET)/release/streamgauge

# make fuzz EXECUTIONS=50000 ONLY=onnx,toml: so many, of some targets
EXECUTIONS ?= 1000000
fuzz: runtime ## a million mutated inputs for every parser of foreign bytes, under limits: results/fuzz.md
	EXECUTIONS=$(EXECUTIONS) ONLY="$(ONLY)" nice -n 19 \
	  $(CARGO) test --release --locked --quiet --test fuzz -- --ignored --exact whole --nocapture

# AutoGPTQ, AutoAWQ and auto-round ask for many packages: single files of theirs are used, which need none.
.venv/quantised/ready: scripts/reference/requirements-quantised.txt scripts/reference/requirements.txt
	$(PYTHON) -m venv .venv/quantised
	.venv/quantised/bin/python -m pip install --quiet -r scripts/reference/requirements-quantised.txt
	.venv/quantised/bin/python -m pip install --quiet --no-deps auto-gptq==0.7.1 autoawq==0.2.9 auto-round==0.16.1
	@touch $@

zoo: .venv/ready ## retrain the small checkpoints in data/zoo
	.venv/bin/python scripts/zoo/train.py
	.venv/bin/python scripts/zoo/quantise.py
	.venv/bin/python scripts/zoo/check.py

# make bench SHAPE=8b ROUNDS=3: tiny, 1b, 8b (16 GB of disk) or 70b-2 (two blocks of a 70 B model, 8 GB)
SHAPE ?= 1b
ROUNDS ?= 5
BENCH = .venv/bench/bin/python scripts/bench
bench: build .venv/bench/ready ## streamgauge and its peers in turn on a random checkpoint: results/bench/SHAPE.md
	@$(BENCH)/bench.py --shape $(SHAPE) --rounds $(ROUNDS) --program $(TARGET)/release/streamgauge
	@$(BENCH)/check.py results/bench/$(SHAPE).json

bench-quick: build .venv/bench/ready ## one round of the bench on a tiny checkpoint, checked; no figures to quote
	@$(BENCH)/bench.py --quick --shape tiny --rounds 1 --program $(TARGET)/release/streamgauge
	@$(BENCH)/check.py --quick results/bench/tiny.json

bench-scaling: build .venv/bench/ready ## cost against tokens, prompts, parameters, layers: results/bench/scaling.md
	@$(BENCH)/scaling.py --program $(TARGET)/release/streamgauge

bench-profile: build .venv/bench/ready ## where the time of one model goes, from its own trace: results/bench/SHAPE-profile.md
	@$(BENCH)/where.py --shape $(SHAPE) --program $(TARGET)/release/streamgauge

SIZES ?= 32000x2048 128256x4096
bench-spectral: build .venv/bench/ready ## spectral norms against torch and scipy: results/bench/spectral.md
	@$(CARGO) build --release --locked --quiet --example spectral_norm
	@$(BENCH)/spectral.py --sizes $(SIZES) --program $(TARGET)/release/streamgauge \
	  --one $(TARGET)/release/examples/spectral_norm

bench-formats: runtime .venv/bench/ready ## readers of every stored form, and quantised weights multiplied as they lie: results/bench/formats.md
	@$(CARGO) build --release --locked --quiet --example readers
	@$(BENCH)/as_they_lie.py --readers $(TARGET)/release/examples/readers

bench-export: build .venv/bench/ready ## export against onnxruntime-genai's builder and optimum
	-@$(MAKE) --no-print-directory .venv/optimum/ready
	@$(BENCH)/exporters.py --shape $(SHAPE) --program $(TARGET)/release/streamgauge

.venv/bench/ready: scripts/bench/requirements.txt scripts/reference/requirements.txt
	$(PYTHON) -m venv .venv/bench
	.venv/bench/bin/python -m pip install --quiet -r scripts/bench/requirements.txt
	@touch $@

.venv/optimum/ready: scripts/reference/requirements-optimum.txt
	$(PYTHON) -m venv .venv/optimum
	.venv/optimum/bin/python -m pip install --quiet -r $<
	@touch $@

bench-device: build $(if $(DEVICE_NAME),runtime-cuda) .venv/bench/ready ## one model on DEVICE: seconds, rate of streamed weights, memory of the card
	@test -f results/bench/$(SHAPE)/model.safetensors || \
	  $(BENCH)/make_checkpoint.py results/bench/$(SHAPE) --shape $(SHAPE)
	$(BENCH)/device.py results/bench/$(SHAPE) --device $(DEVICE) --program $(TARGET)/release/streamgauge

scale: runtime ## the full multiverse on a made-up million rows, a plan of 100,000 jobs: time and memory, results/bench/{judge,plan}.md
	$(CARGO) run --release --locked --quiet --example judge_scale results/bench/judge.md
	$(CARGO) run --release --locked --quiet --example plan_scale results/bench/plan.md

.venv/ready: scripts/reference/requirements.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet -r scripts/reference/requirements.txt
	@touch $@

clean: ## remove what was built, fetched and stored
	rm -rf target .runtime .venv results/store results/report results/tables results/verdicts.json results/bench/*/
