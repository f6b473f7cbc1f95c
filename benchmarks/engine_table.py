"""The engine's lines as text: one row at a time on the terminal, all of them for BENCHMARKS.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.measure import Line

NAMES = (
    "fresh-host",
    "fresh-none",
    "fresh-bridge",
    "reuse",
    "map-reduce-fresh",
    "map-reduce-reuse",
    "flat-reduce",
    "sleep",
    "cat-stream",
    "cat-files",
    "bytes",
    "memory",
    "reference-downloads",
    "reference-wait",
)

_HEAD = """## The engine

Program: `python -m benchmarks.engine`. Each value is the median over rounds of a ratio whose two
sides were measured in the same round; the peers are `rdd.pipe` of the same command, a re-creation
of the earlier lofn's way (`benchmarks/earlier_lofn.py`), the machine's own `docker run`, a host
pipe, and `hdfs dfs -get`. Peers on Spark run in Python workers that have never loaded the engine,
as a job without it would; what that makes of `rdd.pipe` is in the line `reuse`, where it was run in
the engine's workers too. Load is the one-minute average when the line began; lines run one after
the other, so part of it is of the line before. Other work on the machine slows both sides, and not
alike: all containers of a machine together have the processor share of one group (`/docker`, 1024),
so it slows the engine's side more than peers that run outside of it.
"""


def row(line: Line) -> str:
    """One line for the terminal."""
    verdict = "reached" if line.reached else "NOT REACHED"
    figures = ", ".join(_figure(name, value) for name, value in line.figures.items())
    return (
        f"{line.name:<20} {_number(line.value)}{line.unit:<3} {line.target:<14} {verdict:<12}"
        f" load {line.load:.1f}  {figures}"
    )


def section(kept: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole section: table, then figures and break-down of each line."""
    rows = ["| line | value | to reach | reached | load | measured |", "|---|---|---|---|---|---|"]
    details = []
    for name in NAMES:
        line = kept.get(name)
        if line is None:
            rows.append(f"| {name} | not run | | | | |")
            continue
        verdict = "yes" if line["reached"] else "**no**"
        rows.append(
            f"| {name} | {_number(line['value'])}{line['unit']} | {line['target']} | {verdict} | "
            f"{line['load']:.1f} | {line['machine']['date']}, commit {line['machine']['commit']} |"
        )
        details.append(_details(name, line))
    return "\n".join([_HEAD, *rows, "", *details])


def _details(name: str, line: Mapping[str, Any]) -> str:
    facts = line["machine"]
    where = ", ".join(f"{key} {facts[key]}" for key in facts if key not in ("date", "commit"))
    text = [f"### {name}", "", f"{line['what']}.", f"Rounds: {line['rounds']}; {where}.", ""]
    text += [f"- {_figure(key, value)}" for key, value in line["figures"].items()]
    if line["breakdown"]:
        shown = ", ".join(
            f"{key.replace('_', ' ')} {_number(value)}" for key, value in line["breakdown"].items()
        )
        text.append(f"- the engine's counters, summed over tasks: {shown}")
    if line["notes"]:
        text.append(f"- {line['notes']}")
    return "\n".join([*text, ""])


def _figure(name: str, value: float) -> str:
    """A rate has its unit in its name; everything else is in seconds."""
    return f"{name}: {_number(value)}" + ("" if name.endswith("MB/s") else " s")


def _number(value: float) -> str:
    if value == int(value) and abs(value) >= 10:
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
