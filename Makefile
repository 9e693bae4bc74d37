# Two commands do everything on a fresh machine: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
SET    ?= ps1
OUT    ?= out/$(SET)
SEEDS  ?= 50
# How many tests run at once: for each processor one, and at most four (each worker takes a gigabyte of memory).
TESTS  ?= -n logical --maxprocesses 4

.PHONY: help setup demo test test-long build check prove release grade lint bench clean

help:  ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) was not found; set PYTHON=/path/to/python3 (3.11 or newer)."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp for each extra: `make demo` installs what grading needs, `make test` everything.
$(VENV)/.grade: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable '.[grade]'
	@touch $@

$(VENV)/.all: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@ $(VENV)/.grade

setup: $(VENV)/.all  ## create .venv with everything in it

demo: $(VENV)/.grade  ## grade the sample class of SET and show the report
	$(BIN)/python examples/make_class.py $(SET) --quiet
	$(BIN)/autograder grade $(SET) examples/$(SET) --out out/demo

test: $(VENV)/.all  ## run the tests (under 20 minutes on two cores)
	$(BIN)/python -m pytest $(TESTS)

test-long: $(VENV)/.all  ## the longer checks: other libraries, whole sample classes, a cut of every set, proofs on 100 seeds, notebooks in the cpu profile
	$(PIP) install --quiet --constraint constraints.txt --editable '.[test,libraries]'
	$(BIN)/python -m pytest ps*_* tests/sets/test_graded.py --long
	@sets=$$($(BIN)/autograder list) || exit 1; for set in $$sets; do $(BIN)/autograder build $$set --check || exit 1; done
	@sets=$$($(BIN)/autograder list) || exit 1; for set in $$sets; do $(BIN)/autograder prove $$set --seeds 100 || exit 1; done

build: $(VENV)/.all  ## build the notebooks of SET (default ps1)
	$(BIN)/autograder build $(SET)

prove: $(VENV)/.all  ## prove the hidden tests of SET on SEEDS seeds
	$(BIN)/autograder prove $(SET) --seeds $(SEEDS)

release: $(VENV)/.all  ## write what students get for SET into release/
	$(BIN)/autograder release $(SET) --out release

grade: $(VENV)/.grade  ## grade SUBMISSIONS=path of SET into OUT
	@test -n "$(SUBMISSIONS)" || { echo "make: say what to grade, for example make grade SET=ps1 SUBMISSIONS=downloads/ps1.zip"; exit 2; }
	$(BIN)/autograder grade $(SET) $(SUBMISSIONS) --out $(OUT)

lint: $(VENV)/.all  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.all  ## measure notebooks, grading, growth with the class, and nbgrader and otter beside it (15 minutes)
	$(BIN)/python benchmarks/notebooks.py $(SET)
	$(BIN)/python benchmarks/grading.py $(SET)
	$(BIN)/python benchmarks/rivals.py --n 30 --rivals 5
	$(BIN)/python benchmarks/growth.py --n 500 --kills 5 --sizes 10,100,1000

clean:  ## remove what the targets above made (not the notebooks)
	rm -rf out build dist release *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis examples/ps*/
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
