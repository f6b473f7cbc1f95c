"""Progress on stderr (a spinner on a terminal, plain lines elsewhere), data on stdout."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)
from rich.status import Status
from rich.text import Text

# A phase that lasts longer than this says so once, where there is no spinner.
PATIENCE_SECONDS = 5.0


def as_plain(value: Any) -> Any:
    """Return ``value`` as what JSON can say: dataclasses as objects, times in ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return as_plain(asdict(value))
    if isinstance(value, dict):
        return {str(k): as_plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_plain(v) for v in value]
    return value.isoformat() if isinstance(value, datetime) else value


class Phase:
    """A phase that is under way; ``update`` says what it is waiting for."""

    def __init__(self, title: str, status: Status | None, line: Callable[[str], None]) -> None:
        self.title = title
        self._status = status
        self._line = line
        self._last = ""

    def update(self, detail: str) -> None:
        """Show ``detail`` behind the title; said once as long as it stays the same."""
        if detail == self._last:
            return
        self._last = detail
        if self._status is not None:
            self._status.update(Text(f"{self.title}: {detail}"))
        else:
            self._line(f"  {self.title}: {detail}")


class Bars:
    """Progress bars, one per thing that moves; plain lines where there is no terminal."""

    def __init__(self, progress: Progress | None, line: Callable[[str], None]) -> None:
        self._progress = progress
        self._line = line
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, str] = {}

    def update(self, name: str, done: int, total: int | None, state: str = "") -> None:
        """Set the bar ``name`` to ``done`` of ``total`` bytes; ``state`` is a word beside it."""
        if self._progress is None:
            finished = total is not None and done >= total
            word = state or ("done" if finished else "")
            if word and self._said.get(name) != word:
                self._said[name] = word
                self._line(f"  {name}: {word}")
            return
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total, state=state)
        self._progress.update(self._tasks[name], completed=done, total=total, state=state)


class Reporter:
    """Where commands say what they do: words to ``err``, results to ``out``."""

    def __init__(
        self,
        *,
        output: str = "text",
        quiet: bool = False,
        verbose: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        self.output = output
        self.quiet = quiet
        self.verbose = verbose
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._console = Console(file=self._err, highlight=False, markup=False, soft_wrap=True)
        self._live = False

    def _line(self, text: str) -> None:
        if not self.quiet:
            self._console.print(text)

    def note(self, text: str) -> None:
        """Say something worth knowing (nothing with --quiet)."""
        self._line(text)

    def detail(self, text: str) -> None:
        """Say something that only --verbose shows."""
        if self.verbose:
            self._console.print(text)

    def warn(self, text: str) -> None:
        """Say something that may hurt; shown with --quiet too."""
        self._console.print(f"warning: {text}")

    def data(self, text: str, obj: Any) -> None:
        """Print the result on stdout: ``text``, or ``obj`` as JSON with ``-o json``."""
        print(json.dumps(as_plain(obj), indent=2) if self.output == "json" else text,
              file=self._out, flush=True)

    @contextmanager
    def phase(self, title: str) -> Iterator[Phase]:
        """Show a phase while it runs and, at its end, how long it took."""
        start = time.monotonic()
        late = threading.Timer(PATIENCE_SECONDS, self._line, [f"… {title}"])
        late.daemon = True
        spinner = self._console.is_terminal and not self.quiet and not self._live
        status = self._console.status(Text(title)) if spinner else None
        if status is not None:
            status.start()
            self._live = True
        else:
            late.start()
        try:
            yield Phase(title, status, self._line)
        except BaseException:
            self._end(status, late)
            self._line(f"✗ {title}: failed after {time.monotonic() - start:.1f} s")
            raise
        self._end(status, late)
        self._line(f"✓ {title}: {time.monotonic() - start:.1f} s")

    def _end(self, status: Status | None, late: threading.Timer) -> None:
        late.cancel()
        if status is not None:
            status.stop()
            self._live = False

    @contextmanager
    def bars(self) -> Iterator[Bars]:
        """Show progress bars in bytes while the block runs."""
        if not self._console.is_terminal or self.quiet or self._live:
            yield Bars(None, self._line)
            return
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(),
                   TransferSpeedColumn(), TextColumn("{task.fields[state]}", markup=False))
        self._live = True
        try:
            with Progress(*columns, console=self._console) as progress:
                yield Bars(progress, self._line)
        finally:
            self._live = False
