"""Copies with the cluster's HDFS at one end or both: over SSH, or on the cluster itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lofn_aws.adapters.local_files import SplitFiles, arriving, settle
from lofn_aws.adapters.local_files import look as look_local
from lofn_aws.adapters.ssh import CommandResult
from lofn_aws.adapters.ssh_exec import Readable, Writable
from lofn_aws.adapters.streams import Counted, TarStream
from lofn_aws.errors import InfrastructureError
from lofn_aws.facts.hdfs_listing import HdfsEntry, hdfs_listing, hdfs_problem
from lofn_aws.model.copy import Entry, Found
from lofn_aws.model.uris import HdfsUri, LocalPath, Location, S3Uri
from lofn_aws.plan import hdfs_commands as plan
from lofn_aws.workflows.attach import Attached
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.s3_copy import look_s3

LOOK_SECONDS = 120.0
COPY_SECONDS = 86_400.0
# How many files one `hadoop fs -cat` reads: starting Java costs as much as 100 small files.
_AT_ONCE = 500
_COMMANDS = ("ls", "put", "cat", "cp", "mv", "mkdir", "rm", "tar")


class HdfsCopy:
    """Looks at and copies places of which at least one is in HDFS."""

    def __init__(self, ctx: Context, cluster: Attached) -> None:
        self._ctx = ctx
        self._cluster = cluster

    def look(self, place: Location, *, whole: bool = False) -> Found:
        """Return what is at a place; ``whole`` wants every file below a folder."""
        if isinstance(place, LocalPath):
            return look_local(place.path)
        if isinstance(place, S3Uri):
            return look_s3(self._ctx, place, whole=whole)
        path = place.path.rstrip("/") or "/"
        entries = self._list(plan.look_command([path]))
        if not entries:
            return Found()
        if entries[0].kind == "file":
            return Found("file", entries[0].size)
        return self._folder(path) if whole else Found("folder")

    def _folder(self, path: str) -> Found:
        below = self._list(plan.list_command(path))
        prefix = f"{path.rstrip('/')}/"
        files = tuple(
            Entry(entry.path[len(prefix) :], entry.size) for entry in below if entry.kind == "file"
        )
        return Found("folder", sum(entry.size for entry in files), files)

    def _list(self, command: str) -> list[HdfsEntry]:
        result = self._cluster.gateway.run(None, command, timeout=LOOK_SECONDS, check=False)
        problem = hdfs_problem(result.stderr)
        if problem:
            raise InfrastructureError(f"HDFS: {problem}")
        if not result.ok and "No such file or directory" not in result.stderr:
            raise InfrastructureError(
                f"HDFS does not answer: {_last_line(result)}", "lofn-aws ssh hdfs dfsadmin -report")
        return hdfs_listing(result.stdout)

    def copy(
        self, source: Location, at_source: Found, target: Location, *, merge: bool, token: str
    ) -> None:
        """Copy; both places have been looked at and checked."""
        if isinstance(source, LocalPath) and isinstance(target, HdfsUri):
            if at_source.kind == "file":
                self._send_file(source.path, at_source, target, merge, token)
            else:
                self._send_folder(source.path, at_source, target, merge, token)
        elif isinstance(source, HdfsUri) and isinstance(target, LocalPath):
            self._fetch(source, at_source, target.path, token)
        elif not isinstance(source, LocalPath) and not isinstance(target, LocalPath):
            command = plan.copy_command(
                source, at_source.kind or "file", target, token, merge=merge
            )
            with self._ctx.reporter.phase(f"copying {source} to {target} on the cluster"):
                self._run(command, f"copying {source} to {target}")

    def _send_file(
        self, path: Path, at_source: Found, target: HdfsUri, merge: bool, token: str
    ) -> None:
        command = plan.write_file_command(target, at_source.size, token, replace=merge)
        with path.open("rb") as handle, self._progress(target, at_source.size) as progress:
            stream = Counted(handle, at_source.size, f"{token}\n".encode(), progress)
            self._run(command, f"copying {path} to {target}", stdin=stream)

    def _send_folder(
        self, folder: Path, at_source: Found, target: HdfsUri, merge: bool, token: str
    ) -> None:
        command = plan.write_folder_command(target, token, merge=merge)
        names = [entry.name for entry in at_source.files]
        with (
            self._progress(target, at_source.size) as progress,
            TarStream(folder, names, token, progress) as stream,
        ):
            self._run(command, f"copying {folder} to {target}", stdin=stream)

    def _fetch(self, source: HdfsUri, at_source: Found, target: Path, token: str) -> None:
        with (
            arriving(target, token) as folder,
            self._progress(source, at_source.size) as progress,
        ):
            if at_source.kind == "file":
                entries: Sequence[Entry] = (Entry("whole", at_source.size),)
                paths = [source.path]
            else:
                (folder / "whole").mkdir()
                entries = [Entry(f"whole/{e.name}", e.size) for e in at_source.files]
                paths = [source.child(e.name).path for e in at_source.files]
            self._read(folder, entries, paths, progress)
            settle(folder / "whole", target)

    def _read(
        self,
        folder: Path,
        entries: Sequence[Entry],
        paths: Sequence[str],
        progress: Callable[[int], None],
    ) -> None:
        """Read files by few commands: each prints many, and their sizes cut the stream again."""
        sink = SplitFiles(folder, entries, progress)
        full = [path for path, entry in zip(paths, entries, strict=True) if entry.size]
        for start in range(0, len(full), _AT_ONCE):
            batch = full[start : start + _AT_ONCE]
            self._run(plan.read_command(batch), f"reading {batch[0]}", stdout=sink)
        sink.finish()

    def _run(
        self,
        command: str,
        doing: str,
        stdin: Readable | None = None,
        stdout: Writable | None = None,
    ) -> None:
        result = self._cluster.gateway.run(
            None,
            command,
            timeout=self._ctx.deadline(COPY_SECONDS),
            stdin=stdin,
            stdout=stdout,
            check=False,
        )
        if not result.ok:
            raise InfrastructureError(f"{doing} failed: {_last_line(result)}")

    @contextmanager
    def _progress(self, place: object, size: int) -> Iterator[Callable[[int], None]]:
        """Give a function that shows the bytes so far."""
        with self._ctx.reporter.bars() as bars:
            yield lambda done: bars.update(str(place), done, size)


def _last_line(result: CommandResult) -> str:
    """The reason in Hadoop's words: the line that names the command, else the last one."""
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    told = [line for line in lines if line.split(":")[0] in _COMMANDS]
    return (told or lines or [f"exit code {result.exit_code}"])[-1]
