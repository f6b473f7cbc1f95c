"""The word count's tools are right on any cut of the text, and its script is right on Spark."""

from __future__ import annotations

import collections
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "word_count"
TEXT = FOLDER / "pride_and_prejudice.txt"


def run_tool(name: str, text: str) -> str:
    done = subprocess.run(
        ["sh", str(FOLDER / name)], input=text, capture_output=True, text=True, check=True
    )
    return done.stdout


def counted(text: str) -> dict[str, int]:
    """The same count by other means."""
    words = (word.strip("'").lower() for word in re.findall("[A-Za-z']+", text))
    return dict(collections.Counter(word for word in words if word))


def parsed(counts: str) -> dict[str, int]:
    return {word: int(n) for word, n in (line.split("\t") for line in counts.splitlines())}


def test_the_novel() -> None:
    text = TEXT.read_text()
    assert parsed(run_tool("count-words", text)) == counted(text)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(alphabet="abAB' \n-", max_size=40), max_size=4))
def test_sum_of_the_parts_is_the_whole(parts: list[str]) -> None:
    counts = "".join(run_tool("count-words", part) for part in parts)
    assert run_tool("sum-counts", counts) == run_tool("count-words", "\n".join(parts))


@pytest.mark.docker
@pytest.mark.spark
def test_script_on_a_local_spark(tmp_path: Path) -> None:
    """Containers on this machine give what one run of the tool gives."""
    from lofn_aws.sandbox.image_build import ensure_base_image

    image = "lofn-tests/word-count:1"
    build = ["docker", "build", "--quiet", "--build-arg", f"BASE={ensure_base_image(print)}"]
    subprocess.run([*build, "--tag", image, str(FOLDER)], check=True, capture_output=True)
    try:
        _submit("local[2]", str(TEXT), str(tmp_path / "counts"), "--image", image)
    finally:
        subprocess.run(["docker", "image", "rm", image], check=False, capture_output=True)
    counts = (tmp_path / "counts" / "part-00000").read_text()
    assert sorted(counts.splitlines()) == run_tool("count-words", TEXT.read_text()).splitlines()


def _submit(master: str, *arguments: str) -> None:
    python = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    submit = [str(Path(sys.executable).with_name("spark-submit")), "--master", master]
    done = subprocess.run(
        [*submit, str(FOLDER / "word_count.py"), *arguments],
        env={**os.environ, **python, "SPARK_LOCAL_IP": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-3000:]
