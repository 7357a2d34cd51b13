VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --quiet --disable-pip-version-check
NATIVE := CMakeLists.txt $(shell find native -type f)

# A release of torch that needs no GPU, and everything else, from constraints.txt.
$(VENV)/tools: pyproject.toml constraints.txt
	python3 -m venv $(VENV)
	$(PIP) install -c constraints.txt torch==2.13.0 numpy Pillow tqdm nanobind nanobind-backend scikit-build-core pytest ruff mypy clang-format
	touch $@

$(VENV)/installed: $(VENV)/tools $(NATIVE)
	$(PIP) install --no-build-isolation --no-deps --editable .
	touch $@

.PHONY: setup
setup: $(VENV)/installed
