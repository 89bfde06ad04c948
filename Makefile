# Two commands on a fresh machine (python3 >= 3.11 with venv, make):
#   make demo      the whole way once, on simulated scans
#   make test      lint, types, import rules, and all tests but the slow ones (10 to 17 minutes on 2 cores)
# and for whoever changes something:
#   make lint      style, types, import rules
#   make fast      the tests of light rooms (2 minutes)
#   make coverage  which lines no test reaches; at least 90 % must be reached
#   make slow-ci   the long checks of continuous integration, resumable (an hour)
#   make dist      wheel, source, their bill of materials and licences, in build/dist (3 minutes)
#   make docs      the site of the documentation, in build/site
#   make slow      all tests that take minutes
# and for whoever wants to see a silent trial on one machine (Debian: orthanc, dcmtk):
#   make hospital  Orthanc as PACS, DCMTK as scanner, hemocast serve between them (1 minute)
# and for whoever works on several hospitals:
#   make federate  Flower in an environment of its own: SuperLink, four SuperNodes, one killed; keys, secure aggregation (some minutes)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DIST := build/dist

# Two processes of one thread each: threads that wait for each other on busy cores stall.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2

# Compiled bytecode makes every start three times faster.
unexport PYTHONDONTWRITEBYTECODE

# No network is trained here, no cohort simulated, no browser or server started.
FAST := tests/stats tests/evaluate tests/papercheck tests/readers/analysis tests/report/figures \
	tests/dataset/cohort tests/dataset/tables tests/cli/test_exits.py tests/cli/test_options.py \
	tests/cli/test_every_command.py tests/cli/test_plan.py $(wildcard tests/test_*.py)

.PHONY: demo dist docs federate hospital lint fast test coverage slow slow-ci demo-model tissue-model clean

demo: $(VENV)/.train
	$(BIN)/hemocast demo --out hemocast-demo

hospital: $(VENV)/.serve
	$(BIN)/python examples/hospital.py hemocast-hospital

docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
	@echo "open build/site/index.html"

federate: .venv-federate/.made
	OMP_NUM_THREADS=1 .venv-federate/bin/python -m pytest --noconftest tests/federate/flower

.venv-federate/.made: pyproject.toml
	$(PYTHON) -m venv .venv-federate
	.venv-federate/bin/pip install --quiet --editable ".[federate]" pytest
	@touch $@

# The bill of materials is that of a fresh environment with the wheel alone. The times in the archives
# are those of the commit, so that the same commit gives the same bytes.
dist:
	rm -rf $(DIST)/tools $(DIST)/core $(DIST)/hemocast-*.whl $(DIST)/hemocast-*.tar.gz
	$(PYTHON) -m venv $(DIST)/tools
	$(DIST)/tools/bin/pip install --quiet "build>=1.2" "cyclonedx-bom>=5" "pip-licenses>=5"
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(DIST)/tools/bin/python -m build --outdir $(DIST) .
	$(PYTHON) -m venv --without-pip $(DIST)/core
	$(DIST)/tools/bin/pip --python $(DIST)/core/bin/python install --quiet $(DIST)/hemocast-*.whl
	$(DIST)/tools/bin/cyclonedx-py environment --output-reproducible --of JSON \
		-o $(DIST)/sbom.cdx.json $(DIST)/core/bin/python
	$(DIST)/tools/bin/pip-licenses --python $(DIST)/core/bin/python --format markdown --with-urls \
		--output-file $(DIST)/licences.md
	cd $(DIST) && sha256sum hemocast-* sbom.cdx.json licences.md > SHA256SUMS
	@echo "$$(du -sm $(DIST)/core | cut -f 1) MB installed"

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers 2
	$(BIN)/lint-imports --no-cache

fast: $(VENV)/.dev
	$(PYTEST) -m "not slow" $(FAST)

test: lint
	$(PYTEST) -m "not slow"

coverage: $(VENV)/.dev
	$(PYTEST) -m "not slow" --cov --cov-report=term:skip-covered

slow: $(VENV)/.dev
	$(PYTEST) -m slow

slow-ci: $(VENV)/.dev
	$(BIN)/python .ci/slow.py $(MINUTES)

# The model that comes with the package: of 472 simulated patients, tested on 428 others; its
# encoder is one member of the one that comes along, half the size and half the work. 17 minutes of CPU.
demo-model: $(VENV)/.train
	rm -rf build/demo-model
	$(BIN)/hemocast simulate --preset paper --format stacks --patients 900 --seed 2026 --workers 2 \
		--out build/demo-model/simulated
	$(BIN)/python benchmarks/join_encoders.py --only 1 own build/demo-model/encoder
	$(BIN)/hemocast train build/demo-model/simulated/stacks --encoder build/demo-model/encoder \
		--test-fraction 0.475 --name demonstration --out build/demo-model/model \
		--horizon "hemorrhagic transformation as the simulation defines it, no time horizon" \
		--population "simulated heads, half of them with HT by design"
	rm -rf src/hemocast/assets/demo_model
	mkdir -p src/hemocast/assets
	cp -r build/demo-model/model src/hemocast/assets/demo_model

# The tissue map's network: an hour on two cores, goes on where it stopped.
tissue-model: $(VENV)/.train
	$(BIN)/python -m hemocast.train.tissue build/tissue-model
	cp build/tissue-model/tissue.onnx src/hemocast/assets/tissue_model/

$(VENV)/.train: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --editable ".[train]"
	@touch $@

$(VENV)/.serve: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --editable ".[serve]"
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --editable ".[dev]"
	@touch $@ $(VENV)/.train $(VENV)/.serve

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) .venv-federate build hemocast-demo hemocast-hospital
