# Every target sets up what it needs; only Python 3.11 or newer is expected.
PORT ?= 8080
BIN := .venv/bin
STAMPS := .venv/.installed
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench reference docs lock clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(STAMPS)/runtime ## serve examples/shop on 127.0.0.1:8080 (PORT= overrides)
	@exec $(BIN)/entrepot dev examples/shop --port $(PORT)

test: $(STAMPS)/test ## run the tests
	$(BIN)/python -m pytest

lint: $(STAMPS)/test ## check style, types and the borders between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMPS)/test ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMPS)/bench ## measure, side by side with others (an hour; ARGS= narrows it)
	$(BIN)/python -m bench.run --write $(ARGS)

reference: $(STAMPS)/test ## write docs/reference/ again from the code
	$(BIN)/python tools/reference.py

docs: $(STAMPS)/docs ## build the documentation site into site/
	$(BIN)/zensical build --clean --strict

lock: $(STAMPS)/test ## lock the newest dependencies again, with hashes
	tools/lock

clean: ## remove everything that was made here
	rm -rf .venv .tools site .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(STAMPS)/%: requirements/%.txt pyproject.toml tools/environment
	@tools/environment $*
	@mkdir -p $(@D) && touch $@
