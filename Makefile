# `make help` explains the targets. Each installs and trains first whatever is missing.

PYTHON := .venv/bin/python
# For the tools that don't come through the assistant package, which turns it off too.
export RASA_TELEMETRY_ENABLED := false

.DEFAULT_GOAL := help
.PHONY: help chat serve train test lint knowledge bench tune evaluate compare misses faults load purge audit lock \
	telegram-webhook telegram clean installed model

help: ## explain the targets
	@echo "Spotwise: describe bleeding after sex, and learn how urgent it is and what can cause it."
	@echo
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1|/' | awk -F'|' '{printf "%-22s %s\n", $$1, $$2}'
	@echo
	@echo "PORT (default 5005) is where \`make serve\` listens. API_TOKEN opens the REST channel and Rasa's HTTP API."

chat: model ## talk to the assistant in the terminal
	@$(PYTHON) -m assistant.run chat

serve: model ## run the assistant on PORT; Ctrl-C stops it
	@$(PYTHON) -m assistant.run serve

train: model ## train the model, if what it is made from has changed
	@echo "The model is up to date."

tune: installed ## learn the sentence encoder's tuning anew, after many new examples: 25 minutes
	@$(PYTHON) -W ignore -m tuning.words
	@$(PYTHON) -W ignore -m tuning

test: model ## run every test
	@$(PYTHON) -m pytest

lint: installed ## check style and types
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

knowledge: installed ## check the medical content; says what is wrong by file and line
	@$(PYTHON) -m spotwise.knowledge

bench: model ## run the benchmarks
	@$(PYTHON) -m bench

faults: model ## break everything, and write what became of it into docs/reliability.md
	@$(PYTHON) -m bench.faults

load: model ## find how many people it answers at once; writes docs/reliability.md
	@$(PYTHON) -m bench.load

purge: installed ## delete conversations that are older than KEEP_DAYS (the server does it each hour)
	@$(PYTHON) -m assistant.run purge

audit: installed ## look for known holes in what is installed; reasons for those that stay are in audit.yml
	@scripts/bootstrap.sh audit
	@$(PYTHON) scripts/audit.py

evaluate: model ## measure how well messages are understood; writes docs/evaluation.md
	@$(PYTHON) -W ignore -m evaluation

compare: installed ## the same beside Rasa's default pipeline; trains it first, which takes long
	@$(PYTHON) -W ignore -m evaluation compare

misses: model ## take what is understood by now off the list of known misses; ADD=yes puts new ones on
	@$(PYTHON) -W ignore -m evaluation misses $(if $(ADD),--add)

lock: ## resolve pyproject.toml into requirements.txt again
	@scripts/bootstrap.sh uv pip compile --quiet pyproject.toml --group dev --universal --python-version 3.10 \
		--generate-hashes --no-header -o requirements.txt

telegram-webhook: installed ## have Telegram send its updates to TELEGRAM_WEBHOOK_URL
	@$(PYTHON) -m assistant.telegram_bot webhook

telegram: installed ## fetch Telegram's updates for a `make serve` that has no public address
	@$(PYTHON) -m assistant.telegram_bot poll

clean: ## remove what was installed, trained and cached (conversations in var/ stay)
	rm -rf .venv .venv-audit .venv-tools .rasa models .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

installed:
	@scripts/bootstrap.sh

model: installed
	@$(PYTHON) -m assistant.train
