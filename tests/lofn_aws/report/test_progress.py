"""Words to stderr, data to stdout, and what each flag leaves out."""

import io
import json
from dataclasses import dataclass
from datetime import datetime, timezone

import pytest

from lofn_aws.report import progress
from lofn_aws.report.progress import Reporter


@dataclass(frozen=True)
class Thing:
    name: str
    when: datetime
    parts: tuple[str, ...]


THING = Thing("x", datetime(2026, 11, 21, tzinfo=timezone.utc), ("a", "b"))


def made(**flags: bool | str) -> tuple[Reporter, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Reporter(out=out, err=err, **flags), out, err  # type: ignore[arg-type]


def test_data_goes_to_stdout_alone() -> None:
    say, out, err = made()
    say.data("words", THING)
    assert (out.getvalue(), err.getvalue()) == ("words\n", "")


def test_json_has_the_same_as_an_object() -> None:
    say, out, _ = made(output="json")
    say.data("words", THING)
    assert json.loads(out.getvalue()) == {
        "name": "x", "when": "2026-11-21T00:00:00+00:00", "parts": ["a", "b"]}


def test_a_phase_tells_its_time_and_each_detail_once() -> None:
    say, _, err = made()
    with say.phase("boot") as phase:
        phase.update("waiting")
        phase.update("waiting")
    lines = err.getvalue().splitlines()
    assert lines[0] == "  boot: waiting"
    assert lines[1].startswith("✓ boot: ")
    assert len(lines) == 2


def test_a_phase_that_fails_says_so_and_lets_the_error_through() -> None:
    say, _, err = made()
    with pytest.raises(ValueError, match="no"), say.phase("boot"):
        raise ValueError("no")
    assert err.getvalue().startswith("✗ boot: failed after ")


def test_a_long_phase_says_that_it_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.01)
    say, _, err = made()
    with say.phase("boot"):
        end = time.monotonic() + 5
        while "…" not in err.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
    assert err.getvalue().splitlines()[0] == "… boot"


def test_quiet_leaves_results_and_warnings() -> None:
    say, out, err = made(quiet=True)
    with say.phase("boot"):
        say.note("noted")
    say.warn("careful")
    say.data("result", {})
    assert (out.getvalue(), err.getvalue()) == ("result\n", "warning: careful\n")


def test_detail_is_for_verbose() -> None:
    for verbose, said in ((False, ""), (True, "deep\n")):
        say, _, err = made(verbose=verbose)
        say.detail("deep")
        assert err.getvalue() == said


def test_bars_are_lines_without_a_terminal() -> None:
    say, _, err = made()
    with say.bars() as bars:
        bars.update("layer", 1, 10)
        bars.update("layer", 10, 10)
        bars.update("layer", 10, 10)
    assert err.getvalue() == "  layer: done\n"


def test_words_are_printed_as_they_are() -> None:
    """A tag in square brackets is no markup, and a long line is not broken."""
    say, _, err = made()
    text = "[red]" + "x" * 300
    say.note(text)
    assert err.getvalue() == text + "\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_titles_are_text_and_the_last_word_is_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    say = Reporter(err=err, out=io.StringIO())
    with say.phase("boot [profiles.x]") as phase:
        phase.update("waiting for [y]")
        with say.phase("inner"):
            say.note("noted")
    with say.bars() as bars:
        bars.update("layer [z]", 10, 10)
    shown = err.getvalue()
    for text in ("boot [profiles.x]: waiting for [y]", "noted\n", "✓ inner: ", "layer [z]"):
        assert text in shown
    assert "✓ boot [profiles.x]: " in shown
