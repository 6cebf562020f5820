# Single commands. Each sets up .venv by itself when it is not there.
PYTHON ?= python3
DATA ?= ../shared/data
ENCODER ?= ../shared/encoder
STREAM ?= $(DATA)/weibo_ncov_10k/nCov_10k_test.csv $(DATA)/hacker_news_20k/hacker_news.csv
EVENTS ?= $(DATA)/zhihu_hot_questions/first_seen.tsv
BIN := .venv/bin
READY := .venv/.ready
PEERS := .venv/.peers
# conc pins an old polars and brings a notebook server: it has an environment of its own
CORPUS_PEERS := .venv-corpus-peers/.ready
CORPUS_POSTS ?= 1000000
CORPUS_TEXTS ?= $(wildcard $(DATA)/weibo2018/train.csv $(DATA)/weibo_ncov_10k/*.csv $(DATA)/hacker_news_20k/hacker_news.csv $(DATA)/election_tweets_2016/*.csv $(DATA)/amazon_fine_food_1k/*.csv)

.DEFAULT_GOAL := help
.PHONY: help install demo check format test test-slow eval eval-shares eval-report eval-topics bench bench-corpus train pack docs lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(READY)  ## set up .venv with the pinned versions

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Folate needs Python 3.11 or newer: make PYTHON=python3.11")'
	@echo 'setting up .venv: some minutes the first time'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,bench]'
	@touch $@

demo: $(READY)  ## start the demo web, crawl it, annotate, find topics, write the weekly report
	$(BIN)/python -m demo.run

check: $(READY)  ## style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(READY)  ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: $(READY)  ## the tests, on loopback only, under three minutes
	$(BIN)/pytest -n 2 --dist loadfile -m 'not slow'

test-slow: $(READY)  ## every test
	$(BIN)/pytest

eval: $(READY)  ## score the shipped model on the dev splits under DATA, beside baselines; fails under the floors
	$(BIN)/python -m training.evaluate --data $(DATA) --own tests/eval/intents.jsonl --hard tests/eval/hard.tsv --pairs tests/eval/pairs.tsv --floors tests/eval/floors.json

eval-shares: $(READY)  ## shares of domains that the model never saw, by each method: POSTERIORS is an .npz of training/quantify.py's form
	$(BIN)/python -m benchmarks.shares --posteriors $(POSTERIORS)

eval-report: $(READY)  ## build projects from sets that no training sees, and compare their reports with the labels of people
	$(BIN)/python -m benchmarks.truth --data $(DATA) --work runs/truth --json runs/truth.json $(ARGS)

eval-topics: $(PEERS)  ## the folate test on STREAM, Folate beside its peers (ARGS='--trials 2' for fewer), and remembered news in EVENTS
	$(BIN)/python -m benchmarks.emergence $(addprefix --stream ,$(STREAM)) $(ARGS)
	$(BIN)/python -m benchmarks.emergence.events --stream $(EVENTS)

$(PEERS): $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[peers]'
	@touch $@

bench: $(READY)  ## speeds, as ratios against peers run in the same run
	$(BIN)/python -m benchmarks.text
	$(BIN)/python -m benchmarks.pipeline
	$(BIN)/python -m benchmarks.report

bench-corpus: $(READY) $(CORPUS_PEERS)  ## questions to a corpus of CORPUS_POSTS posts, beside conc, tantivy, SQLite FTS5 and DuckDB
	$(BIN)/python -m benchmarks.corpus --posts $(CORPUS_POSTS) --texts $(CORPUS_TEXTS) --peer-python .venv-corpus-peers/bin/python --json runs/bench-corpus.json $(ARGS)

$(CORPUS_PEERS):
	$(PYTHON) -m venv .venv-corpus-peers
	.venv-corpus-peers/bin/pip install --quiet --disable-pip-version-check conc==0.1.13 tantivy==0.27.0 duckdb==2.0.1 pyarrow==26.0.1
	@touch $@

train: $(READY)  ## train the shipped model again from DATA and ENCODER into runs/
	$(BIN)/python -m training --data $(DATA) --encoder $(ENCODER) --out runs/train
	$(BIN)/python -m training.words --data $(DATA) --out runs/words
	$(BIN)/python -m training.segmenter --data $(DATA) --out runs/segmenter

pack: $(READY)  ## pack DATA and ENCODER into runs/pack for a machine with a GPU (training/README.md)
	$(BIN)/python -m training.pack --data $(DATA) --encoder $(ENCODER) --out runs/pack

docs: $(READY)  ## write docs/cli.md from the commands themselves
	$(BIN)/python -m folate.cli.reference > docs/cli.md

lock:  ## resolve constraints.txt anew, in an environment of its own
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --disable-pip-version-check '.[dev,bench,peers]'
	.venv-lock/bin/pip freeze --exclude folate | sed "s/+cpu$$//" > constraints.txt
	rm -rf .venv-lock

clean:  ## remove .venv and every cache
	rm -rf .venv .venv-corpus-peers .mypy_cache .ruff_cache .pytest_cache .hypothesis build ./*.egg-info
