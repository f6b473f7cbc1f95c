"""The shell commands on the primary that look at, write and read HDFS (pure).

Each that writes has its target in shell variables, so that its traps quote nothing twice, and
gives a target its name only when it is complete. A trap removes what a failure left, and what a
killed sender left: sshd then closes the command's input.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Sequence

from lofn_aws.model.copy import Kind
from lofn_aws.model.uris import HdfsUri, S3Uri

_FS = "hadoop fs"
_ON_SIGNAL = "trap 'exit 143' HUP INT TERM"
_REMOVE_PART = f'{_FS} -rm -r -f -skipTrash "$part" >/dev/null 2>&1'
_MAKE_PARENT = f'{_FS} -mkdir -p "$parent" || exit 1'
_NAME_IT = f'{_FS} -mv "$part" "$target" || exit 1'
# What a command says by its exit code when its input ended too early.
CUT_SHORT = 9


def look_command(paths: Sequence[str]) -> str:
    """List the entries themselves, not what is in them; missing ones are told on stderr."""
    return f"{_FS} -ls -d {_quoted(paths)}"


def list_command(path: str) -> str:
    """List everything below a folder."""
    return f"{_FS} -ls -R {shlex.quote(path)}"


def read_command(paths: Sequence[str]) -> str:
    """Print files one after the other."""
    return f"{_FS} -cat {_quoted([_escaped(path) for path in paths])}"


def write_file_command(target: HdfsUri, size: int, token: str, *, replace: bool) -> str:
    """Write ``size`` bytes of standard input to a file.

    ``token`` and a line's end must follow the bytes: a sender that was killed looks like the
    end of a shorter file otherwise.
    """
    lines = [
        *_variables(target, token),
        _ON_SIGNAL,
        f"trap '{_REMOVE_PART}' EXIT",
        _MAKE_PARENT,
        f'head -c {size} | {_FS} -put - "$part" || exit 1',
        f'IFS= read -r end; [ "$end" = {token} ] || exit {CUT_SHORT}',
    ]
    if replace:
        lines.append(f'{_FS} -rm -f -skipTrash "$target" >/dev/null || exit 1')
    return "\n".join([*lines, _NAME_IT, "trap - EXIT"])


def write_folder_command(target: HdfsUri, token: str, *, merge: bool) -> str:
    """Write a tar archive from standard input to a folder.

    It waits in a scratch folder of the primary until its last member, named ``token``, is there.
    """
    if merge:
        # A folder that is put into a folder is merged with the one of its name there.
        finish = [f'{_FS} -put -f "$work/$name" "$parent" || exit 1']
    else:
        finish = [f'{_FS} -put "$work/$name" "$part" || exit 1', _NAME_IT]
    return "\n".join(
        [
            *_variables(target, token),
            f"name={shlex.quote(target.name)}",
            # EMR's large volume is below /mnt.
            "scratch=/mnt/tmp; [ -w $scratch ] || scratch=/tmp",
            _ON_SIGNAL,
            'work=$(mktemp -d "$scratch/lofn-cp.XXXXXX") || exit 1',
            f'done=; trap \'rm -rf "$work"; [ -n "$done" ] || {_REMOVE_PART}\' EXIT',
            'mkdir "$work/$name" && tar -C "$work/$name" --no-same-owner -xf - || exit 1',
            f'rm "$work/$name/{token}" || exit {CUT_SHORT}',
            _MAKE_PARENT,
            *finish,
            "done=yes",
        ]
    )


def copy_command(
    source: HdfsUri | S3Uri, kind: Kind, target: HdfsUri | S3Uri, token: str, *, merge: bool
) -> str:
    """Copy on the cluster itself, between HDFS and S3 or inside HDFS.

    A folder is merged by copying it into the parent of the one that has its name.
    """
    origin = shlex.quote(_address(source))
    into = '"$parent"' if merge and kind == "folder" else '"$target"'
    if isinstance(target, S3Uri):
        # In S3 an object is there when it is complete: -d writes it under its name.
        return "\n".join(
            [*_variables(target, token), _MAKE_PARENT, f"{_FS} -cp -f -d {origin} {into}"]
        )
    if merge:
        return "\n".join([*_variables(target, token), f"{_FS} -cp -f {origin} {into}"])
    return "\n".join(
        [
            *_variables(target, token),
            _ON_SIGNAL,
            f"trap '{_REMOVE_PART}' EXIT",
            _MAKE_PARENT,
            f'{_FS} -cp {origin} "$part" || exit 1',
            _NAME_IT,
            "trap - EXIT",
        ]
    )


def _variables(target: HdfsUri | S3Uri, token: str) -> list[str]:
    """The target, its folder, and its name until it is complete: hidden, beside it.

    Spark and MapReduce leave out names that begin with a dot.
    """
    address = _address(target).rstrip("/")
    parent = posixpath.dirname(address) or "/"
    part = posixpath.join(parent, f".lofn-{token}.part")
    named = {"target": address, "parent": parent, "part": part}
    return [f"{name}={shlex.quote(value)}" for name, value in named.items()]


def _address(place: HdfsUri | S3Uri) -> str:
    return place.path if isinstance(place, HdfsUri) else str(place)


def _quoted(paths: Sequence[str]) -> str:
    return " ".join(shlex.quote(path) for path in paths)


def _escaped(path: str) -> str:
    """A path that exists, with the characters escaped that Hadoop reads as patterns."""
    return "".join(f"\\{char}" if char in "*?[]{}\\" else char for char in path)
