# Two commands on a fresh machine (python3 >= 3.11 with venv, make):
#   make demo   the whole way once, on simulated scans
#   make test   lint, types, import rules, tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Two processes of one thread each: threads that wait for each other on busy cores stall.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

# Compiled bytecode makes every start three times faster.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test slow demo-model clean

demo: $(VENV)/.train
	$(BIN)/hemocast demo --out hemocast-demo

test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(PYTEST) -m "not slow"

slow: $(VENV)/.dev
	$(PYTEST) -m slow

# The model that comes with the package: trained on 300 simulated patients, tested on 75 of them.
demo-model: $(VENV)/.train
	rm -rf build/demo-model
	$(BIN)/hemocast simulate --preset demo --patients 300 --seed 2026 --workers 2 --out build/demo-model/simulated
	printf '%064d\n' 2026 > build/demo-model/dataset.key  # known, so that the split is the same again
	$(BIN)/hemocast ingest build/demo-model/simulated/dicom --labels build/demo-model/simulated/labels.csv \
		--workers 2 --out build/demo-model/dataset
	$(BIN)/hemocast train build/demo-model/dataset --test-fraction 0.25 --workers 2 \
		--name demonstration --out build/demo-model/model \
		--horizon "hemorrhagic transformation as the simulation defines it, no time horizon" \
		--population "simulated heads, half of them with HT by design"
	rm -rf src/hemocast/assets/demo_model
	mkdir -p src/hemocast/assets
	cp -r build/demo-model/model src/hemocast/assets/demo_model

$(VENV)/.train: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --editable ".[train]"
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --editable ".[dev]"
	@touch $@ $(VENV)/.train

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) build hemocast-demo
