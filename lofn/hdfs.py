"""Move files between a node and HDFS or S3 with Hadoop's own shell command."""

from __future__ import annotations

import ctypes
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from xml.sax.saxutils import escape

from lofn.docker_handler import DockerFailure

# Where `hadoop` and `hdfs` are on EMR, in Apache's tar and in distributions' packages: the PATH
# of a YARN container holds next to nothing.
_PLACES = ("/usr/bin", "/usr/local/bin", "/usr/lib/hadoop/bin", "/opt/hadoop/bin")
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1  # prctl(2); kept by the exec of `hadoop` into java
_HOMES = ("HADOOP_HOME", "HADOOP_COMMON_HOME", "HADOOP_HDFS_HOME")

Settings = Sequence[tuple[str, str]]


class VolumeFailed(DockerFailure):
    """A volume or a remote file could not be had; the text says why."""


@lru_cache(maxsize=1)
def shell_command() -> tuple[str, ...]:
    """Find what runs Hadoop's file system shell on this node.

    The node's ``hadoop fs`` or ``hdfs dfs``; where neither is installed, ``java -cp`` and the jars
    that Spark brings, which hold the same class. Raises VolumeFailed with what to install or set.
    """
    folders = os.environ.get("PATH", "").split(os.pathsep)
    folders += [os.path.join(os.environ[home], "bin") for home in _HOMES if os.environ.get(home)]
    for name, verb in (("hadoop", "fs"), ("hdfs", "dfs")):
        found = shutil.which(name, path=os.pathsep.join([*folders, *_PLACES]))
        if found:
            return (found, verb)
    jars = _spark_jars()
    java = _java()
    if jars and java:
        return (java, "-cp", f"{jars}/*")
    raise VolumeFailed(
        "no command reads HDFS or S3 on this node: neither hadoop, hdfs nor Spark's jars with "
        "java were found; set HADOOP_HOME, or SPARK_HOME and JAVA_HOME, for the executors "
        "(spark.executorEnv.HADOOP_HOME)"
    )


def _spark_jars() -> str | None:
    homes = [os.environ.get("SPARK_HOME", "")]
    try:
        import pyspark

        homes.append(os.path.dirname(pyspark.__file__))
    except ImportError:
        pass
    for home in filter(None, homes):
        if glob.glob(os.path.join(home, "jars", "hadoop-client-*.jar")):
            return os.path.join(home, "jars")
    return None


def _java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    inside = os.path.join(home, "bin", "java") if home else ""
    return inside if os.access(inside, os.X_OK) else shutil.which("java")


def fs(*arguments: str, settings: Settings = (), deadline_seconds: float = 600) -> str:
    """Run one command of Hadoop's file system shell and return its standard output.

    ``settings`` are Hadoop properties on top of the node's; they go through a file that only
    this user can read, since they may hold keys. Raises VolumeFailed with the shell's reason.
    """
    with _configured_command(settings) as command:
        argv = [*command, *arguments]
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=deadline_seconds,
                check=False,
                env=_environment(),
                preexec_fn=_die_with_this_process,
            )
        except subprocess.TimeoutExpired:
            raise VolumeFailed(
                f"`{' '.join(arguments)}` was not done after {deadline_seconds:.0f} s"
            ) from None
        except OSError as error:
            raise VolumeFailed(f"{argv[0]} cannot be run: {error.strerror}") from None
    if done.returncode:
        raise VolumeFailed(_reason(arguments, done.returncode, done.stderr))
    return done.stdout.decode(errors="replace")


def _die_with_this_process() -> None:
    """Have the kernel kill the command if this process is killed: no download is orphaned."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """Speak to HDFS as the user who submitted the job: YARN runs containers as its own user."""
    env = dict(os.environ)
    if env.get("SPARK_USER"):
        env.setdefault("HADOOP_USER_NAME", env["SPARK_USER"])
    return env


def _reason(arguments: Sequence[str], code: int, stderr: bytes) -> str:
    """Take the shell's own sentence: its last line that is no log line, warning or stack frame."""
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines()]
    noise = re.compile(r"^(\d\d(\d\d)?[-/]\d\d|at |WARN|INFO|SLF4J|log4j|Picked up)")
    said = [line for line in lines if line and not noise.match(line)] or [ln for ln in lines if ln]
    text = said[-1][:500] if said else f"exit code {code} without a word"
    return f"`hadoop fs {' '.join(arguments)}` failed: {text}"


@contextmanager
def _configured_command(settings: Settings) -> Iterator[list[str]]:
    """Give the shell's argv with ``settings`` on top of the node's configuration."""
    command = list(shell_command())
    bare_java = len(command) > 2
    if not settings and not bare_java:
        yield command
        return
    with tempfile.TemporaryDirectory(prefix="lofn-conf-") as folder:
        path = os.path.join(folder, "core-site.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(_xml(settings))
        if bare_java:
            # The shell refuses to start without a core-site.xml on its class path.
            places = [os.environ.get("HADOOP_CONF_DIR", ""), folder, command[-1]]
            command[-1] = os.pathsep.join(filter(None, places))
            command.append("org.apache.hadoop.fs.FsShell")
        yield [*command, "-conf", path]


def _xml(settings: Settings) -> str:
    entries = (
        f"<property><name>{escape(name)}</name><value>{escape(value)}</value></property>"
        for name, value in settings
    )
    return f"<configuration>{''.join(entries)}</configuration>"


def quote(path: str) -> str:
    """Escape what Hadoop's shell would take for a pattern: `*?[]{}` and the backslash."""
    return re.sub(r"([*?\[\]{}\\])", r"\\\1", path)


def get(remote: str, local: str, *, settings: Settings = (), deadline_seconds: float = 600) -> None:
    """Copy a remote file or folder to ``local``. Raises VolumeFailed."""
    fs("-get", quote(remote), local, settings=settings, deadline_seconds=deadline_seconds)


def put(local: str, remote: str, *, settings: Settings = ()) -> None:
    """Copy a local file or folder to ``remote``. Raises VolumeFailed."""
    fs("-put", local, remote, settings=settings)


def mkdir_p(path: str, *, settings: Settings = ()) -> None:
    """Make a remote folder and the folders above it. Raises VolumeFailed."""
    fs("-mkdir", "-p", path, settings=settings)


def rm_r(path: str, *, settings: Settings = ()) -> None:
    """Remove a remote folder with all in it, at once and not to the trash. Raises VolumeFailed."""
    fs("-rm", "-r", "-f", "-skipTrash", quote(path), settings=settings)
