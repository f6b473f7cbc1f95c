"""BENCHMARKS.md is put together here from one section per benchmark program.

A program calls ``write_section(name, markdown)``. Its text is kept in
``benchmarks/results/<name>.md`` and BENCHMARKS.md is rebuilt from all of them, so that each
program can be run by itself.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
BENCHMARKS = HERE.parent / "BENCHMARKS.md"

_HEAD = """# Benchmarks

Every figure below was measured by the program named over it, on the machine described there; none
is written by hand. `make bench` runs them all again.
"""


def write_section(name: str, markdown: str) -> Path:
    """Keep one program's section and rebuild BENCHMARKS.md; returns its path."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(markdown.strip() + "\n", encoding="utf-8")
    sections = [path.read_text(encoding="utf-8") for path in sorted(RESULTS.glob("*.md"))]
    BENCHMARKS.write_text("\n".join([_HEAD, *sections]), encoding="utf-8")
    return BENCHMARKS
