# make demo | test | check | bench | faults
PYTHON ?= python3
VENV := .venv/bin
export PYTHONPATH := .
export PATH := $(PATH):/usr/sbin
# Programs start by the hundred in tests: what is compiled once stays compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check bench faults lock format clean

demo:
	@$(PYTHON) tools/setup.py run
	@exec $(VENV)/python -m simulator demo

test:
	@$(PYTHON) tools/setup.py test
	@$(VENV)/python -m pytest -n 4 --dist loadgroup -m "not faults"

# What is pure: no server, no database, no browser.
PURE := tests/architecture tests/contracts tests/cloud/domain tests/station_agent tests/firmware_bridge \
  tests/simulator tests/deploy

check:
	@$(PYTHON) tools/setup.py dev
	@$(VENV)/ruff format --check -q . && $(VENV)/ruff check -q .
	@$(VENV)/mypy
	@$(VENV)/python -m pytest -q -n 2 -m "not real and not slow and not faults" $(PURE)

bench:
	@$(PYTHON) tools/setup.py test
	@$(VENV)/python -m benchmarks

faults:
	@$(PYTHON) tools/setup.py test
	@$(VENV)/python -m pytest -m faults tests

format:
	@$(VENV)/ruff format -q . && $(VENV)/ruff check -q --fix .

# Needs uv; only when a requirements file changes.
lock:
	for name in requirements requirements-dev requirements-node; do \
	  uv pip compile $$name.in --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --custom-compile-command "make lock" -q -o $$name.lock || exit 1; done
	npm install --package-lock-only --no-audit --no-fund

clean:
	rm -rf .venv build node_modules cloud/web/static/vendor .mypy_cache .pytest_cache .ruff_cache .hypothesis
