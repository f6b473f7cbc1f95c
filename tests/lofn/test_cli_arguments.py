"""The arguments of ``python -m lofn``: what is taken, and one sentence for what is not."""

from __future__ import annotations

import pytest

from lofn.__main__ import main
from lofn.cli_arguments import parse

BASE = ["map", "--image", "i", "--input", "a", "--output", "b"]


def test_an_argv_after_two_dashes_is_exact() -> None:
    parsed = parse([*BASE, "--", "dock", "--in", "a b", "--", "-x"])
    assert parsed.command == ["dock", "--in", "a b", "--", "-x"]


def test_volumes_are_split_from_their_end() -> None:
    volumes = ["hdfs://n:8020/ref:/ref", "/local:/l:rw", "s3://b/k:/k:ro"]
    words = [word for volume in volumes for word in ("--volume", volume)]
    assert parse([*BASE, *words, "--command", "x"]).volumes == {
        "hdfs://n:8020/ref": {"bind": "/ref", "mode": "ro"},
        "/local": {"bind": "/l", "mode": "rw"},
        "s3://b/k": {"bind": "/k", "mode": "ro"},
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [(r"\n$$$$\n", "\n$$$$\n"), (r"\t", "\t"), (r"\x1e", "\x1e"), ("é€", "é€"), ("\n", "\n")],
)
def test_delimiters_are_written_with_escapes(written: str, meant: str) -> None:
    assert parse([*BASE, "--command", "x", "--delimiter", written]).delimiter == meant


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "required"),
        (BASE, "give the command either as --command"),
        ([*BASE, "--command", "x", "--", "y"], "give the command either as --command"),
        ([*BASE, "--command", "x", "--partitions", "0"], "'0' is not a whole number"),
        ([*BASE, "--command", "x", "--timeout", "soon"], "'soon' is not a number of seconds"),
        ([*BASE, "--command", "x", "--delimiter", ""], "cannot be empty"),
        ([*BASE, "--command", "x", "--delimiter", r"\x1"], "wrong escape"),
        ([*BASE, "--command", "x", "--volume", "hdfs:///ref"], "must be SOURCE:BIND"),
        ([*BASE, "--command", "x", "--volume", "s3://b/r:/r:rw"], "cannot be 'rw'"),
        ([*BASE, "--command", "x", "--volume", "/a:/r", "--volume", "/a:/s"], "given twice"),
        ([*BASE, "--command", "x", "--fan-in", "4"], "unrecognized arguments: --fan-in"),
        (["mpa"], "invalid choice: 'mpa'"),
    ],
)
def test_wrong_arguments_are_one_sentence_and_exit_code_2(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1


def test_help_has_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["reduce", "--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert "samtools merge" in text
    assert "exit codes: 0 done" in text
