# `make demo` starts the demo, `make test` runs the tests, `make quick` those that take no minutes,
# `make lint` checks style and types, and `make train CONTENT=photos/ STYLE=paintings/` trains on and on.
# Everything is installed into .venv, and again only when pyproject.toml or the runtime has changed.

PYTHON ?= python3
PYTEST_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# ONNX Runtime for the GPU where an NVIDIA driver answers; `make demo RUNTIME=cpu` says otherwise.
RUNTIME := $(shell nvidia-smi >/dev/null 2>&1 && echo gpu || echo cpu)

# Folders of photos and of paintings for `make train`, the minutes of a turn, one model instead of
# both in turn, what it starts from, and further options of `adain train`.
CONTENT ?=
STYLE ?=
TURN ?= 30
MODEL ?=
WEIGHTS ?=
ARGS ?=

.PHONY: demo test quick lint train train-folders clean
.DELETE_ON_ERROR:

demo: $(VENV)/demo-$(RUNTIME)
	$(BIN)/python -m demo

test: $(VENV)/test-$(RUNTIME)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

quick: $(VENV)/test-$(RUNTIME)
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

lint: $(VENV)/test-$(RUNTIME)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# It goes on from its checkpoints until it is stopped, and takes only time that nothing else wants.
# With MODEL it keeps to one core, so that two of them share two.
train: train-folders $(VENV)/test-$(RUNTIME)
	$(if $(MODEL),OMP_NUM_THREADS=1) nice -n 19 $(BIN)/adain long-run \
		'$(CONTENT)' '$(STYLE)' --turn $(TURN) $(if $(MODEL),--model $(MODEL)) \
		$(if $(WEIGHTS),--weights '$(WEIGHTS)') -- $(ARGS)

train-folders:
	@: $(if $(and $(CONTENT),$(STYLE)),,$(error needs the folders of photos and of paintings: make train CONTENT=photos/ STYLE=paintings/))

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("adain needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.11")'
	$(PYTHON) -m venv --clear $(VENV)

# The two runtimes overwrite each other's files, so both go, with all stamps, before one comes.
$(VENV)/runtime-$(RUNTIME): $(VENV)/pyvenv.cfg
	@rm -f $(VENV)/runtime-* $(VENV)/demo-* $(VENV)/test-*
	@$(PIP) uninstall -qq --yes onnxruntime onnxruntime-gpu
	@touch $@

$(VENV)/demo-$(RUNTIME): pyproject.toml $(VENV)/runtime-$(RUNTIME)
	@echo "Installing what the demo needs, with ONNX Runtime for the $(RUNTIME)"
	@$(PIP) install --quiet --editable '.[$(RUNTIME),demo]'
	@touch $@

$(VENV)/test-$(RUNTIME): pyproject.toml $(VENV)/runtime-$(RUNTIME)
	@echo "Installing what the tests need, PyTorch included, with ONNX Runtime for the $(RUNTIME)"
	@$(PIP) install --quiet --editable '.[$(RUNTIME),demo,learn,test]'
	@touch $(VENV)/demo-$(RUNTIME) $@
