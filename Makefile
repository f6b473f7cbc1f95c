# Every target sets up what it needs; a second run reuses what the first has made.
.PHONY: demo test lint bench help

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' Makefile

demo:  ## a tool over a three-node cluster on this machine, start to end, and everything removed
	@tools/ensure-docker
	@tools/ensure-image-tools
	@tools/ensure-venv sandbox
	@.venv/bin/python tools/demo

test:  ## all tests, on real Docker, Spark and a sandbox cluster
	@tools/ensure-command busybox busybox-static
	@tools/ensure-docker
	@tools/ensure-image-tools
	@tools/ensure-java
	@tools/ensure-venv sandbox,dev
	@.venv/bin/python -m pytest

lint:  ## ruff, mypy and shellcheck
	@tools/ensure-venv sandbox,dev
	@tools/ensure-command shellcheck shellcheck
	.venv/bin/ruff check .
	.venv/bin/mypy lofn lofn_aws
	shellcheck --severity=warning --exclude=SC1090 $$(tools/list-shell-scripts)

bench:  ## the tables of BENCHMARKS.md
	@tools/ensure-docker
	@tools/ensure-image-tools
	@tools/ensure-java
	@tools/ensure-venv sandbox,dev
	@for table in benchmarks/engine.py benchmarks/cluster.py; do \
	    .venv/bin/python $$table || exit 1; done
