"""Archives on the path: unchanged ones are not read again, changed ones are."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

eager = pytest.mark.skipif(
    not (3, 10) <= sys.version_info[:2] < (3, 12), reason="only 3.10 and 3.11 read at once"
)

# In a process of its own: the change is for a whole process, and this one runs other tests.
COUNTING = """
import importlib, sys, zipimport
sys.path.insert(0, {archive!r})
reads = []
read = zipimport._read_directory
zipimport._read_directory = lambda path: reads.append(path) or read(path)
import one
from lofn.zip_caches import keep_unchanged
keep_unchanged(); keep_unchanged()
importlib.invalidate_caches()
before = reads.count({archive!r})
importlib.invalidate_caches()
print(reads.count({archive!r}) - before)
{change}
importlib.invalidate_caches()
import two
"""


def run(archive: Path, change: str) -> subprocess.CompletedProcess[str]:
    program = COUNTING.format(archive=str(archive), change=change)
    root = str(Path(importlib.import_module("lofn").__file__ or "").parents[1])
    env = {**os.environ, "PYTHONPATH": root}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "modules.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("one.py", "")
    return path


@eager
def test_an_unchanged_archive_is_read_once(archive: Path) -> None:
    done = run(archive, "")
    assert done.stdout == "0\n"
    assert "No module named 'two'" in done.stderr


@eager
def test_a_changed_archive_is_read_again(archive: Path) -> None:
    change = "import zipfile; zipfile.ZipFile(sys.path[0], 'a').writestr('two.py', '')"
    done = run(archive, change)
    assert done.returncode == 0, done.stderr
