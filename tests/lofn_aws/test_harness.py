"""The sandbox tests' own harness: its deadline holds for a process that says nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.sandbox.harness import read_until


@contextmanager
def running(code: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_silent_process_is_given_up_at_the_deadline() -> None:
    with running("import time; time.sleep(60)") as process:
        started = time.monotonic()
        with pytest.raises(AssertionError, match="no line with 'ready' in 1 s"):
            read_until(process, "ready", 1)
        assert time.monotonic() - started < 10


def test_lines_up_to_the_one_that_is_waited_for() -> None:
    code = "import sys; [print(n, file=sys.stderr) for n in ('one', 'two', 'three')]"
    with running(code) as process:
        assert read_until(process, "one", 30) == "one\n"
        # What comes later is left to the next reader.
        assert read_until(process, "three", 30) == "two\nthree\n"


def test_an_end_without_the_line_is_said_so() -> None:
    with running("import sys; sys.stderr.write('other')") as process, pytest.raises(
        AssertionError, match="ended without a line with 'ready':\nother"
    ):
        read_until(process, "ready", 30)
