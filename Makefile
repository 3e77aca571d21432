# make demo, make test, make lint, make bench, make bench-report, make bench-count, make sanitize, make fuzz,
# make soak, make clean.
# PYTHON=python3.12 chooses the interpreter, VENV the virtual environment, FUZZ_SECONDS how long each
# target is fuzzed, SOAK_SECONDS how long everything goes on at once. QUICK=1 makes bench short, BENCH_REPORT
# says where it writes its report. UPDATE=1 has bench-count keep its figures.

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 600

RUN = $(VENV)/bin/python
BUILD = @tools/require.sh $(PYTHON) && tools/build.sh $(PYTHON) $(VENV)

.PHONY: demo test lint bench bench-report bench-count sanitize fuzz soak clean

demo:
	$(BUILD) ""
	@$(RUN) tools/demo.py

test:
	$(BUILD) "[test]"
	$(RUN) -m pytest tests $(PYTEST_ARGS)

lint:
	$(BUILD) "[test,lint]"
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy --strict
	$(RUN) -m mypy --strict examples tools/*.py
	PATH="$(abspath $(VENV))/bin:$$PATH" cython-lint cext

bench:
	$(BUILD) "[bench]"
	$(RUN) -m pytest bench

bench-report:
	$(BUILD) "[bench]"
	BENCH_REPORT=docs $(RUN) -m pytest bench

bench-count:
	$(BUILD) ""
	@$(RUN) bench/count.py $(if $(UPDATE),--update)

sanitize:
	tools/sanitize.sh $(PYTHON) .cache/sanitize tests $(PYTEST_ARGS)

fuzz:
	tools/fuzz.sh $(PYTHON) .cache/fuzz $(FUZZ_SECONDS)

soak:
	$(BUILD) "[test]"
	SOAK_SECONDS=$(SOAK_SECONDS) $(RUN) -m pytest tests/endurance -s $(PYTEST_ARGS)

clean:
	rm -rf build dist .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	rm -rf src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
