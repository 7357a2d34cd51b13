# Every target sets up .venv by itself, then does its one thing. Needs Python >= 3.10, a C++17 compiler and make.
PYTHON3 ?= python3
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --quiet --disable-pip-version-check
NATIVE := CMakeLists.txt $(shell find native -type f)
FORMATTED := $(shell find native tests/native tests/emulate -name '*.h' -o -name '*.cpp' -o -name '*.cu' | grep -v third_party)

.PHONY: setup demo gallery test test-emulate cuda-compile test-browser docs notebook lint format sanitize bench fuzz fuzz-sanitized validate-gltf

# Tools, and frameworks as pinned in constraints.txt: a build of torch without CUDA is enough.
$(VENV)/tools: pyproject.toml constraints.txt
	test -x $(PYTHON) || $(PYTHON3) -m venv $(VENV)
	$(PIP) install --constraint constraints.txt --requirement requirements-dev.txt
	touch $@

# The package itself, editable; only a change of native code builds anew.
$(VENV)/installed: $(VENV)/tools $(NATIVE)
	$(PIP) install --no-build-isolation --no-deps --editable .
	touch $@

setup: $(VENV)/installed

demo: setup
	$(VENV)/bin/intaglio demo -o demo

# The pictures of the manual's gallery, in docs/pictures/gallery.
gallery: setup
	$(PYTHON) docs/gallery.py

test: setup
	$(PYTHON) -m pytest

# The pages of meshes in headless Chromium, which must be there: apt-get install chromium.
test-browser: setup
	$(PYTHON) -m pytest tests/browser.py

# The manual, in build/docs/index.html. Needs Python 3.11 or later.
docs: setup
	$(PIP) install --requirement docs/requirements.txt
	$(PYTHON) -m sphinx -q -W --keep-going -b html docs build/docs

# FUZZ_COUNT mutated inputs (a million) for each reader and FUZZ_SCENES scenes (a hundred thousand) through the ops, or
# FUZZ_TARGETS ("obj mtl ply stl gltf glb image scenes") alone.
fuzz: setup
	PYTHONPATH=tests $(PYTHON) -m fuzz

# The scenes with native code built under AddressSanitizer and UndefinedBehaviorSanitizer, of which Python must know first.
SANITIZED := build/sanitized
fuzz-sanitized: setup
	$(PIP) install --no-build-isolation --no-deps --upgrade --target $(SANITIZED) . \
	  -C build-dir=$(SANITIZED)-objects -C cmake.define.INTAGLIO_SANITIZE=address,undefined -C install.strip=false
	cd $(SANITIZED) && PYTHONPATH="$(CURDIR)/tests:$$($(CURDIR)/$(PYTHON) -c 'import sys; print(":".join(sys.path[1:]))')" \
	  LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libubsan.so)" \
	  ASAN_OPTIONS=detect_leaks=0 FUZZ_TARGETS=scenes $(CURDIR)/$(PYTHON) -S -m fuzz

# Every glTF that the writer makes before the Khronos validator; Node and npm must be there: apt-get install npm.
GLTF_VALIDATOR := gltf-validator@2.0.0-dev.3.10
validate-gltf: setup
	npm install --silent --no-save --prefix build/gltf-validator $(GLTF_VALIDATOR)
	NODE_PATH=$(CURDIR)/build/gltf-validator/node_modules $(PYTHON) -m pytest tests/validator.py

# What examples/tour.ipynb shows in the repository.
notebook: setup
	$(PYTHON) docs/notebook.py

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/clang-format --dry-run --Werror $(FORMATTED)

format: setup
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/clang-format -i $(FORMATTED)

# The native tests under AddressSanitizer and UndefinedBehaviorSanitizer, then under ThreadSanitizer.
sanitize: setup
	for sanitizer in address,undefined thread; do \
	  build=build/sanitize-$${sanitizer%%,*}; \
	  $(VENV)/bin/cmake -S . -B $$build -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(VENV)/bin/ninja \
	    -DINTAGLIO_NATIVE_TESTS=ON -DINTAGLIO_SANITIZE=$$sanitizer && \
	  $(VENV)/bin/cmake --build $$build && $$build/native_tests || exit 1; \
	done

# The ops' tests on the kernels for GPUs, which run on the host (tests/emulate): with sums that no order changes, which must
# pass everything, then those that do not ask for the same bits with floating-point atomics. In an environment of its own,
# beside the build that is being developed.
EMULATE := build/emulate
EMULATED := $(addprefix tests/test_,$(addsuffix .py,rasterize interpolate degenerate ranges door antialias edge_gradient \
  silhouette_error sweep sweep_ops soft soft_ops texture texture_ops anisotropy cube face_texture downsample squared_error \
  classic empty peeling))
ANY_ORDER := $(addprefix tests/test_,$(addsuffix .py,rasterize interpolate degenerate antialias sweep soft texture downsample \
  squared_error empty))
test-emulate: setup
	test -x $(EMULATE)/venv/bin/python || $(PYTHON) -m venv --without-pip $(EMULATE)/venv
	$(PYTHON) -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
	  > $$($(EMULATE)/venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/tools.pth
	$(PIP) --python $(EMULATE)/venv/bin/python install --no-build-isolation --no-deps --force-reinstall \
	  --config-settings build-dir=$(EMULATE)/cmake --config-settings cmake.define.INTAGLIO_EMULATE_CUDA=ON .
	cd $(EMULATE) && INTAGLIO_EMULATE=deterministic venv/bin/python -m pytest -p no:cacheprovider $(EMULATED:%=$(CURDIR)/%)
	cd $(EMULATE) && INTAGLIO_EMULATE=1 venv/bin/python -m pytest -p no:cacheprovider $(ANY_ORDER:%=$(CURDIR)/%)

# The kernels for GPUs through nvcc, for every GPU that a wheel is for; needs nvcc and no GPU.
comma := ,
CUDA_ARCHITECTURES := 75 80 86 89 90
cuda-compile:
	mkdir -p build/cuda
	for file in native/cuda/*.cu; do \
	  nvcc -std=c++17 --fmad=false --expt-relaxed-constexpr -Werror all-warnings -Dintaglio=intaglio_cuda \
	    $(foreach a,$(CUDA_ARCHITECTURES),-gencode arch=compute_$(a)$(comma)code=sm_$(a)) \
	    -c $$file -o build/cuda/$$(basename $$file .cu).o || exit 1; \
	done

# Side by side with other renderers, which only this target installs; writes benchmarks/RESULTS.md.
bench: setup
	$(PIP) install --constraint constraints.txt --requirement benchmarks/requirements.txt
	$(PYTHON) -m benchmarks
