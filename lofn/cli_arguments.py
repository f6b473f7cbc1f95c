r"""The arguments of ``python -m lofn map|reduce``, parsed and checked before Spark is started."""

from __future__ import annotations

import argparse
import codecs
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from lofn import arguments, options, volumes
from lofn.errors import UsageError

_EXAMPLES = r"""
examples:
  python -m lofn map --image debian:bookworm-slim --input hdfs:///text --output hdfs:///counts \
      --command 'tr -s " " "\n" < /shared/input.txt | sort | uniq -c > /shared/output.txt'
  python -m lofn map --image tools --input s3://bucket/all.sdf --delimiter '\n$$$$\n' \
      --output s3://bucket/docked --volume hdfs:///receptor:/receptor --partitions 64 \
      --input-name in.sdf --output-name out.sdf -- dock --in /shared/in.sdf --out /shared/out.sdf
  python -m lofn reduce --binary --image samtools --input hdfs:///bams --output hdfs:///all.bam \
      --fan-in 8 --command 'samtools merge /shared/output.bin /shared/input_*.bin'

exit codes: 0 done, 1 the job failed, 2 the arguments or the input are wrong
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose refusals are UsageError, so that one place prints them."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse and check. Raises UsageError with one sentence; --help prints and exits.

    What follows a lone ``--`` is the exact argv of the command. ``volumes`` in the result is the
    dictionary that `lofn.api.DockerPipe` takes.
    """
    words = list(argv)
    exact: list[str] | None = None
    if "--" in words:
        exact = words[words.index("--") + 1 :]
        words = words[: words.index("--")]
    parsed = _parser().parse_args(words)
    if (parsed.command is None) == (exact is None):
        raise UsageError("give the command either as --command 'text for a shell' or after --")
    if exact is not None:
        parsed.command = exact
    _check_binary(parsed)
    _check_places(parsed)
    options.parse(parsed.docker_option)  # refused before Spark is started
    parsed.volumes = _volumes(parsed.volume)
    return parsed


def as_flags(message: str) -> str:
    """Say a message of the engine's, which names Python's arguments, in flags."""
    for python, flag in _FLAGS:
        message = re.sub(python, flag, message)
    return message


# What the engine's sentences name, as a pattern, and what it is called here.
_FLAGS = [
    (r"\bframing='length'", "--framing length"),
    (r"\banother delimiter=", "another --delimiter"),
    (r"\btemporary_directory_parent=?", "--temporary-directory-parent"),
    (r"\btimeout=", "--timeout "),
    (r"\bcontainer_(binary_)?output_name\b", "--output-name"),
    (r"\bcontainer_(binary_)?input(_[12])?_name\b", "--input-name"),
    (r"\bfan_in\b", "--fan-in"),
]


def _check_binary(parsed: argparse.Namespace) -> None:
    """Refuse what is for records where there are none."""
    if not parsed.binary:
        return
    given = {"--stream": getattr(parsed, "stream", False)}
    given["--on-error"] = getattr(parsed, "on_error", "raise") != "raise"
    given["--output-delimiter"] = parsed.output_delimiter is not None
    given["--framing"] = parsed.verb == "reduce" and parsed.framing != "delimiter"
    for flag, is_given in given.items():
        if is_given:
            raise UsageError(f"{flag} is for records: it cannot go with --binary")


def _check_places(parsed: argparse.Namespace) -> None:
    """Check names in the shared folder and absolute paths; fill in the names' defaults."""
    ending = "bin" if parsed.binary else "txt"
    whole = parsed.binary and parsed.verb == "reduce"
    parsed.input_name = arguments.file_name(
        "--input-name", parsed.input_name or ("input_1.bin" if whole else "input.txt")
    )
    parsed.output_name = arguments.file_name(
        "--output-name", parsed.output_name or f"output.{ending}"
    )
    if whole and not re.search(r"1(?=\D*$)", parsed.input_name):
        raise UsageError(
            f"--input-name {parsed.input_name!r} has no 1 to count on from: reduce --binary names "
            "its input files like input_1.bin, input_2.bin"
        )
    for flag in ("shared_mountpoint", "temporary_directory_parent"):
        path = getattr(parsed, flag)
        if path is not None and not path.startswith("/"):
            raise UsageError(f"--{flag.replace('_', '-')} {path!r} must be an absolute path")


def _parser() -> argparse.ArgumentParser:
    top = _Parser(
        prog="python -m lofn",
        description="Run files through a command in a Docker container, one partition at a time.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="map|reduce")
    common = _common()
    mapping = verbs.add_parser(
        "map",
        parents=[common],
        help="each partition through the command; --output is a folder with a file for each",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    mapping.add_argument(
        "--on-error",
        choices=("raise", "quarantine"),
        default="raise",
        help="quarantine: go on, and put the records and errors of partitions that failed into "
        "the folder OUTPUT.quarantine",
    )
    mapping.add_argument(
        "--stream",
        action="store_true",
        help="input.txt and output.txt are pipes: each read or written once, from its beginning",
    )
    reducing = verbs.add_parser(
        "reduce",
        parents=[common],
        help="all partitions to one result by the command; --output is one file",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    reducing.add_argument(
        "--fan-in", type=_positive, metavar="N", help="how many inputs one command takes at most"
    )
    return top


def _common() -> _Parser:
    common = _Parser(add_help=False)
    add = common.add_argument
    add("--image", required=True, help="Docker image, e.g. localhost:5000/samtools")
    add("--command", metavar="TEXT", help="for the image's shell, exactly as it is")
    add("--input", required=True, metavar="PATH", help="file, folder or pattern Spark can read")
    add("--output", required=True, metavar="PATH", help="must not exist yet")
    add(
        "--volume",
        action="append",
        default=[],
        metavar="SOURCE:BIND[:ro|rw]",
        help="folder to mount in each container; on YARN a plain path is in HDFS; repeatable",
    )
    add("--partitions", type=_positive, metavar="N", help="how many parts to cut the input into")
    add("--delimiter", type=_delimiter, default="\n", help=r"ends each record (default: \n)")
    add("--output-delimiter", type=_delimiter, help="of the result (default: --delimiter)")
    add(
        "--framing",
        choices=("delimiter", "length"),
        default="delimiter",
        help="length: in the container each record comes after its length, unsigned, 32 bits, "
        "big-endian, in input and output; --input and --output themselves have delimiters",
    )
    add("--input-name", metavar="NAME", help="in the container (default: input.txt, input_1.bin)")
    add("--output-name", metavar="NAME", help="in the container (default: output.txt, output.bin)")
    add("--binary", action="store_true", help="map: results are files as they are; reduce: inputs")
    add("--network", metavar="NAME", help="of the containers: none, host, bridge or a name")
    add("--reuse", action="store_true", help="keep a container for many partitions: no isolation")
    add("--timeout", type=_seconds, metavar="SECONDS", help="for one container's run")
    add(
        "--docker-option",
        action="append",
        default=[],
        metavar="OPTION",
        help="one of docker run's, e.g. --docker-option=--memory=2g; repeatable",
    )
    add("--shared-mountpoint", default="/shared/", metavar="PATH", help="(default: /shared/)")
    add("--temporary-directory-parent", metavar="PATH", help="where nodes keep partitions")
    add("--master", help="Spark's, e.g. local[4]; not needed under spark-submit")
    add("--figures", action="store_true", help="print all counters in the end")
    add("--quiet", action="store_true", help="no progress line and no summary")
    return common


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def _delimiter(text: str) -> str:
    r"""Decode ``\n``, ``\t``, ``\x1e`` and the like, which a shell passes on as written."""
    try:
        value = codecs.decode(text.encode("latin-1", "backslashreplace"), "unicode_escape")
    except UnicodeDecodeError as error:
        raise argparse.ArgumentTypeError(f"{text!r} has a wrong escape: {error.reason}") from None
    if not value:
        raise argparse.ArgumentTypeError("a delimiter cannot be empty")
    return value


def _volumes(given: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for text in given:
        source, bind, mode = _volume(text)
        if source in found:
            raise UsageError(f"--volume {source} is given twice: one place in the container each")
        found[source] = {"bind": bind, "mode": mode}
    volumes.validate(found)
    return found


def _volume(text: str) -> tuple[str, str, str]:
    """Split SOURCE:BIND[:MODE] from its end, since a source may be a URI with colons of its own."""
    mode = "ro"
    head, _, last = text.rpartition(":")
    if head and not last.startswith("/"):
        mode = last
        head, _, last = head.rpartition(":")
    if not head or head in ("hdfs", "s3", "s3a", "s3n", "file"):
        raise UsageError(
            f"--volume {text!r} must be SOURCE:BIND or SOURCE:BIND:MODE, e.g. hdfs:///ref:/ref"
        )
    return head, last, mode
