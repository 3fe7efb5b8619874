# make demo: set up, build, prove, grade the sample submissions in the sandbox, train a small diffusion model, run four notebooks.
# make check: the checks that take no more than three minutes: style, types, the build, the tests that are not slow.
# make test: all checks and tests; the four long proofs only if something that decides them has changed since they held.
# make nightly: the proofs at full length, some hours: 1,000 seeds, all mutants of the solutions, and what is said of them.
# make benchmark: throughput beside nbgrader and otter-grader, which gets an environment of its own.
# make benchmark-attacks: what attacks get from this project, nbgrader, otter-grader and gradescope-utils: hours.
# make clean: remove what these have made.
#
# PYTHON=... names another Python (3.10 to 3.13); TORCH_INDEX=URL an index of CPU-only torch wheels.

PYTHON ?= python3
TORCH_INDEX ?=
SHELL := /bin/bash
BIN := .venv/bin
CORES := $(shell nproc)
PIP_INSTALL = $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt
export OMP_NUM_THREADS ?= 1
# Else each of several hundred processes compiles the project's modules anew, and each worker of pytest all tests.
export PYTHONDONTWRITEBYTECODE :=
# Long enough for shapes of cats to appear.
DEMO_RUN = --save_folder demo/diffusion --train_steps 400 --save_and_sample_every 400

DEMO_PAGES = $(patsubst %,demo/%.html,gcn gan simsiam foundations)

# A module stays on one worker, with its fixtures and locks; tests/running_order.py says which start first.
PYTEST = $(BIN)/python -m pytest
PYTEST_BESIDE = $(PYTEST) --dist loadfile --no-loadscope-reorder
# The notebooks whose mutants somebody has read through: docs/proof.md.
MUTATED = gcn vae gan simsiam diffusion foundations
# It keeps two cores busy by itself, and has them to itself.
KILLED_RUN = tests/autograder/grading/test_killed_run.py

.PHONY: help demo check test nightly static benchmark benchmark-attacks clean system-demo system-test

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

demo: system-demo .venv/ready
	$(BIN)/autograder build
	$(BIN)/python tests/held.py demo $(BIN)/autograder prove --seeds 1
	$(BIN)/autograder grade vae tests/submissions/vae --out demo
	OMP_NUM_THREADS=$(CORES) $(BIN)/fixmelab train diffusion --from source/diffusion/diffusion.ipynb $(DEMO_RUN)
	OMP_NUM_THREADS=$(CORES) $(BIN)/fixmelab train diffusion --from source/diffusion/diffusion.ipynb $(DEMO_RUN) \
		--visualize --load_path demo/diffusion/checkpoint.safetensors
	$(MAKE) --silent --jobs $(CORES) $(DEMO_PAGES)
	@echo "solved and run: $(DEMO_PAGES)"

.SECONDEXPANSION:
$(DEMO_PAGES): demo/%.html: source/$$*/$$*.ipynb $(shell find fixmelab -name '*.py')
	FIXMELAB_BUDGET=smoke FIXMELAB_WORK=demo \
		$(BIN)/python -m nbconvert --log-level ERROR --to html --execute $< --output-dir demo

check: system-test .venv/ready static
	$(PYTEST_BESIDE) -n 2 -m "not slow"

# Slow tests wait now and then, for a limit, a kernel, a browser: three of them keep two cores busy.
test: system-test .venv/ready static
	$(BIN)/python tests/held.py seeds $(BIN)/autograder prove --seeds 50 --jobs 2
	$(BIN)/python tests/held.py mutants $(BIN)/autograder prove --mutants $(MUTATED) --sample 250 --jobs 2
	$(BIN)/python tests/held.py attacks $(BIN)/autograder prove --attacks --jobs 3
	$(BIN)/python tests/held.py kills $(PYTEST) -q $(KILLED_RUN)
	$(PYTEST_BESIDE) -n 3 --ignore $(KILLED_RUN) --durations 15

nightly: system-demo .venv/ready
	$(BIN)/autograder prove --seeds 1000
	$(BIN)/autograder prove --mutants $(MUTATED) --messages
	$(BIN)/autograder prove --pairs

static: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/autograder build --check

benchmark: system-demo .venv/ready benchmarks/.peers/ready
	$(BIN)/python benchmarks/throughput.py

benchmark-attacks: system-demo .venv/ready benchmarks/.peers/ready
	@mkdir -p demo
	$(BIN)/python benchmarks/attacks.py --results demo/attacks.jsonl --markdown demo/attacks.md

.venv/ready: pyproject.toml autograder/pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || \
		{ echo "error: $(PYTHON) is not Python 3.10 to 3.13: name one with make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(call system_package,python3-venv)
	@echo "Setting up .venv (torch is large: this takes some minutes, once)"
	$(PYTHON) -m venv .venv
	$(if $(TORCH_INDEX),$(PIP_INSTALL) --index-url $(TORCH_INDEX) torch torchvision)
	$(PIP_INSTALL) -e . -e './autograder[test]'
	@# With it jsonschema builds a grammar of addresses, two seconds in each process that reads a notebook; none has any.
	$(BIN)/python -m pip uninstall --quiet --yes rfc3987-syntax
	@# On all cores at once; pip uses one. What a package holds for another Python does not compile, and is not imported.
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@touch $@

# What the peers need beyond .venv, whose packages they see: torch is not installed twice.
benchmarks/.peers/ready: .venv/ready benchmarks/requirements.txt
	$(BIN)/python -m venv --clear benchmarks/.peers
	@$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir({!r})".format(sysconfig.get_path("purelib")))' \
		> "$$(benchmarks/.peers/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/project.pth"
	benchmarks/.peers/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r benchmarks/requirements.txt
	@touch $@

system-demo:
	@command -v bwrap >/dev/null || $(call system_package,bubblewrap)

system-test: system-demo
	@command -v chromium chromium-browser google-chrome >/dev/null || $(call system_package,chromium)

# Install a package of the system's when root; otherwise say in one line how.
define system_package
{ if [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1) >/dev/null; \
else echo "error: $(1) is missing: run 'sudo apt-get install $(1)', then make again"; exit 1; fi; }
endef

clean:
	rm -rf .venv demo benchmarks/.peers
