"""The arguments of ``python -m lofn``: what is taken, and one sentence for what is not."""

from __future__ import annotations

import pytest

from lofn.__main__ import main
from lofn.cli_arguments import as_flags, parse

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
        ([*BASE, "--command", "x", "--framing", "none"], "argument --framing: invalid choice"),
        ([*BASE, "--command", "x", "--input-name", "../in"], "--input-name='../in' must be"),
        ([*BASE, "--command", "x", "--output-name", "/out"], "--output-name='/out' must be"),
        ([*BASE, "--command", "x", "--shared-mountpoint", "a"], "--shared-mountpoint 'a' must be"),
        (
            [*BASE, "--command", "x", "--temporary-directory-parent", "a"],
            "--temporary-directory-parent 'a' must be an absolute path",
        ),
        ([*BASE, "--command", "x", "--docker-option=--memroy=1g"], "did you mean --memory?"),
        ([*BASE, "--command", "x", "--docker-option=--name=a"], "--name has no place here"),
        ([*BASE, "--binary", "--command", "x", "--stream"], "--stream is for records"),
        (
            ["reduce", *BASE[1:], "--binary", "--command", "x", "--framing", "length"],
            "--framing is for records",
        ),
        (
            ["reduce", *BASE[1:], "--binary", "--command", "x", "--input-name", "a.bam"],
            "--input-name 'a.bam' has no 1 to count on from",
        ),
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


@pytest.mark.parametrize(
    ("verb", "words", "names"),
    [
        ("map", [], ("input.txt", "output.txt")),
        ("map", ["--binary"], ("input.txt", "output.bin")),
        ("reduce", [], ("input.txt", "output.txt")),
        ("reduce", ["--binary"], ("input_1.bin", "output.bin")),
        ("map", ["--input-name", "in.sdf", "--output-name", "d/o.sdf"], ("in.sdf", "d/o.sdf")),
    ],
)
def test_files_in_the_container_have_the_engines_names_or_the_users(
    verb: str, words: list[str], names: tuple[str, str]
) -> None:
    parsed = parse([verb, *BASE[1:], "--command", "x", *words])
    assert (parsed.input_name, parsed.output_name) == names


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("choose another delimiter=, or framing='length'", "choose another --delimiter, or --fra"),
        ("more partitions, or temporary_directory_parent= on a", "--temporary-directory-parent on"),
        ("it ran longer than timeout=60 s", "longer than --timeout 60 s"),
        ("container_binary_input_2_name='x' has no 2", "--input-name='x' has no 2"),
    ],
)
def test_the_engines_messages_name_flags(said: str, meant: str) -> None:
    assert meant in as_flags(said)


def test_help_has_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["reduce", "--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert "samtools merge" in text
    assert "exit codes: 0 done" in text
