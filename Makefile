# Every target sets up .venv by itself, then does its one thing. Needs Python >= 3.10, a C++17 compiler and make.
PYTHON3 ?= python3
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --quiet --disable-pip-version-check
NATIVE := CMakeLists.txt $(shell find native -type f)
FORMATTED := $(shell find native tests/native tests/emulate -name '*.h' -o -name '*.c' -o -name '*.cpp' -o -name '*.cu' | grep -v third_party)

# Builds within a recipe look for no pool of jobs: pip and CMake do not pass on the pipes to it.
unexport MAKEFLAGS

.PHONY: setup demo gallery test test-emulate test-emulate-sanitized test-emulate-races test-cuda bench-cuda cuda-compile test-browser docs notebook lint format sanitize bench fuzz fuzz-sanitized validate-gltf

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
	  -C build-dir=$(SANITIZED)-objects -C cmake.define.INTAGLIO_CUDA=OFF -C cmake.define.INTAGLIO_SANITIZE=address,undefined -C install.strip=false
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
	  $(VENV)/bin/cmake --build $$build && $$build/emulation_tests && $$build/native_tests || exit 1; \
	done

comma := ,
# The package built with other options, in an environment of its own beside the one that is being developed:
# $(call build_apart,DIRECTORY,PYTHON WITH THE TOOLS,OPTIONS).
define build_apart
	test -x $(1)/venv/bin/python || $(2) -m venv --without-pip $(1)/venv
	$(2) -c "import sys; print(*(path for path in sys.path if path.endswith('site-packages')), sep='\n')" \
	  > $$($(1)/venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/tools.pth
	$(2) -m pip --quiet --disable-pip-version-check --python $(1)/venv/bin/python install --no-build-isolation --no-deps \
	  --force-reinstall --config-settings build-dir=$(1)/cmake --config-settings install.strip=false \
	  $(addprefix --config-settings cmake.define.,$(3)) .
endef
tests_of = $(patsubst %,$(CURDIR)/tests/test_%.py,$(1))

# The ops' tests on the kernels for GPUs, which run on the host (tests/emulate), at once with sums that
# no order changes, which must pass everything, and, those that do not ask for the same bits, with floating-point atomics.
# Then the ops, the scene and the programs with torch's tensors on a device that is not the CPU.
EMULATE := build/emulate
EMULATED := rasterize interpolate degenerate ranges door antialias edge_gradient silhouette_error sweep sweep_ops soft \
  soft_ops texture texture_ops anisotropy cube face_texture downsample squared_error classic empty peeling culling layered_edges \
  shade_metallic blinn_phong reflect split_sum harmonics map_normals environment textured
ANY_ORDER := rasterize interpolate degenerate antialias sweep soft texture downsample squared_error empty layered_edges \
  shade_metallic blinn_phong reflect map_normals
EMULATED_TESTS := -m pytest -p no:cacheprovider
ON_GPU := $(CURDIR)/tests/gpu.py
test-emulate: setup
	$(call build_apart,$(EMULATE),$(PYTHON),INTAGLIO_EMULATE_CUDA=ON)
	cd $(EMULATE) && { INTAGLIO_EMULATE=1 venv/bin/python $(EMULATED_TESTS) $(call tests_of,$(ANY_ORDER)) $(ON_GPU) >any_order.log 2>&1 & \
	  INTAGLIO_EMULATE=deterministic venv/bin/python $(EMULATED_TESTS) $(call tests_of,$(EMULATED)) $(ON_GPU); first=$$?; \
	  wait $$!; second=$$?; cat any_order.log; exit $$((first | second)); }
	cd $(EMULATE) && INTAGLIO_EMULATE=deterministic PATH="$(CURDIR)/$(VENV)/bin:$$PATH" \
	  venv/bin/python $(EMULATED_TESTS) $(CURDIR)/tests/other_device.py

# The same under AddressSanitizer and UndefinedBehaviorSanitizer, of which Python must know first. Paddle frees as it should not.
EMULATE_SANITIZED := build/emulate-sanitized
EMULATED_SANITIZED := $(filter-out ranges silhouette_error anisotropy environment,$(EMULATED))
test-emulate-sanitized: setup
	$(call build_apart,$(EMULATE_SANITIZED),$(PYTHON),INTAGLIO_EMULATE_CUDA=ON INTAGLIO_SANITIZE=address$(comma)undefined)
	cd $(EMULATE_SANITIZED) && INTAGLIO_EMULATE=deterministic ASAN_OPTIONS=detect_leaks=0:alloc_dealloc_mismatch=0 UBSAN_OPTIONS=print_stacktrace=1 \
	  LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libubsan.so)" \
	  venv/bin/python $(EMULATED_TESTS) --capture=sys $(call tests_of,$(EMULATED_SANITIZED)) $(ON_GPU)

# The same under ThreadSanitizer, to which every lane of a warp is a thread: what two of a launch touch without atomics is a race.
EMULATE_RACES := build/emulate-races
RACING_TESTS := gives_what or nowhere
test-emulate-races: setup
	$(call build_apart,$(EMULATE_RACES),$(PYTHON),INTAGLIO_EMULATE_CUDA=ON INTAGLIO_SANITIZE=thread)
	cd $(EMULATE_RACES) && INTAGLIO_EMULATE=1 TSAN_OPTIONS=ignore_noninstrumented_modules=1 LD_PRELOAD="$$($(CXX) -print-file-name=libtsan.so)" \
	  venv/bin/python $(EMULATED_TESTS) --capture=sys $(ON_GPU) -k "$(RACING_TESTS)"

# The package as wheels have it where nvcc is, which must be there: the kernels for every GPU, in a module that must draw without one.
CUDA_WHEEL := build/cuda
cuda-compile: setup
	$(call build_apart,$(CUDA_WHEEL),$(PYTHON),INTAGLIO_CUDA=ON CMAKE_COMPILE_WARNING_AS_ERROR=ON)
	cd $(CUDA_WHEEL) && venv/bin/python $(EMULATED_TESTS) $(CURDIR)/tests/cuda_build.py $(call tests_of,rasterize interpolate door threads)

# On a GPU, which must be there as nvcc must: the ops against the CPU, then some of them under compute-sanitizer, if that is there.
# CUDA_PYTHON: a Python that has torch for CUDA, pytest and the tools of the build (pyproject.toml); by default that of .venv.
CUDA := build/gpu
CUDA_PYTHON ?= $(PYTHON)
SANITIZED_ON_GPU := float32 and (rasterize or edge_gradient or soft or trilinear or layered or shade_metallic)
$(CUDA)/installed: $(if $(filter $(PYTHON),$(CUDA_PYTHON)),setup) $(NATIVE) $(shell find intaglio -name '*.py')
	$(CUDA_PYTHON) -c "import sys, torch; torch.cuda.is_available() or sys.exit('no GPU that torch can use: nothing was done')"
	$(call build_apart,$(CUDA),$(CUDA_PYTHON),INTAGLIO_CUDA=ON INTAGLIO_CUDA_ARCHITECTURES=native)
	ln -sfn $(CURDIR)/benchmarks $(CUDA)/benchmarks
	touch $@
test-cuda: $(CUDA)/installed
	cd $(CUDA) && venv/bin/python $(EMULATED_TESTS) $(ON_GPU) $(CURDIR)/tests/gpu_alone.py
	cd $(CUDA) && if command -v compute-sanitizer >/dev/null; then \
	  for tool in memcheck racecheck; do \
	    PYTORCH_NO_CUDA_MEMORY_CACHING=1 compute-sanitizer --tool $$tool --error-exitcode 1 \
	      venv/bin/python $(EMULATED_TESTS) $(ON_GPU) -k "$(SANITIZED_ON_GPU)" || exit 1; \
	  done; \
	else echo "Skipped: compute-sanitizer is not here."; fi

# The last part of benchmarks/RESULTS.md.
bench-cuda: $(CUDA)/installed
	cd $(CUDA) && venv/bin/python -m benchmarks.gpu

# Side by side with other renderers, which only this target installs; writes benchmarks/RESULTS.md.
bench: setup
	$(PIP) install --constraint constraints.txt --requirement benchmarks/requirements.txt
	$(PYTHON) -m benchmarks
