"""One line on stderr that says how far the running Spark job is."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from types import TracebackType

    from pyspark import SparkContext

_TERMINAL_SECONDS = 0.5
_LOG_SECONDS = 10.0  # in a step's log file a line is kept, so there are fewer


class ProgressLine:
    """Shows finished, running and failed partitions of all active stages while its block runs.

    On a terminal the line is rewritten in place; elsewhere a line is added when it has changed.
    """

    def __init__(self, context: SparkContext, what: str, stream: TextIO | None = None) -> None:
        self._tracker = context.statusTracker()
        self._what = what
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._start = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lofn-progress", daemon=True)

    def __enter__(self) -> ProgressLine:
        """Begin to show."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and clear a terminal's line."""
        self._done.set()
        self._thread.join(timeout=5)
        if self._terminal:
            self._write("\r\x1b[K")

    def _run(self) -> None:
        shown = ""
        while not self._done.wait(_TERMINAL_SECONDS if self._terminal else _LOG_SECONDS):
            text = self._text()
            if text != shown:
                seconds = time.monotonic() - self._start
                line = f"{self._what}: {text}, {seconds:.0f} s"
                self._write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
                shown = text

    def _text(self) -> str:
        total = done = running = failed = 0
        for stage in self._tracker.getActiveStageIds():
            info = self._tracker.getStageInfo(stage)
            if info is not None:
                total += info.numTasks
                done += info.numCompletedTasks
                running += info.numActiveTasks
                failed += info.numFailedTasks
        text = f"{done} of {total} partitions done, {running} running"
        return f"{text}, {failed} failed attempts" if failed else text

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
