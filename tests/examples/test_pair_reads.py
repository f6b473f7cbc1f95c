"""Pairs of reads: two FASTQ files to one line per pair, and back in alignment.py's function."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "alignment"
SCRIPT = FOLDER / "pair_reads.py"


def reads(count: int, side: int) -> list[str]:
    lines = ("@r{n}", "ACGT{side}", "+", "II{n}I")
    return [line.format(n=n, side=side) for n in range(count) for line in lines]


def run(tmp_path: Path, first: list[str], second: list[str]) -> subprocess.CompletedProcess[str]:
    files = []
    for name, lines in (("1.fq", first), ("2.fq", second)):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines))
        files.append(str(path))
    command = [sys.executable, str(SCRIPT), *files]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def paired_fastq() -> Any:
    return runpy.run_path(str(FOLDER / "alignment.py"))["paired_fastq"]


@pytest.mark.parametrize("count", [0, 1, 5])
def test_pairs_come_back_as_the_two_files(tmp_path: Path, paired_fastq: Any, count: int) -> None:
    done = run(tmp_path, reads(count, 1), reads(count, 2))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == count
    files = paired_fastq(lines)
    assert files == {"reads_1.fq": reads(count, 1), "reads_2.fq": reads(count, 2)}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (reads(2, 1), reads(1, 2)),
        (reads(1, 1), reads(2, 2)),
        (reads(2, 1)[:-1], reads(2, 2)[:-1]),
        (reads(1, 1), []),
    ],
)
def test_incomplete_pairs_are_refused(tmp_path: Path, first: list[str], second: list[str]) -> None:
    done = run(tmp_path, first, second)
    assert done.returncode == 1
    assert "is not complete" in done.stderr
    assert "Traceback" not in done.stderr
