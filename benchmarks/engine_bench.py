"""What every line of the engine's table runs on: Spark on two cores, an image, checked answers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lofn.api import DockerPipe

if TYPE_CHECKING:
    from pyspark import SparkContext

IMAGES = ("debian:bookworm-slim", "lofn-aws/debian:bookworm", "lofn-bench/debian:bookworm")
PACKAGES = "http://deb.debian.org/debian"


@dataclass
class Bench:
    """One run of the benchmark."""

    image: str
    folder: Path
    rounds: int
    quick: bool
    full: bool
    context: SparkContext
    answers: dict[str, Any] = field(default_factory=dict)

    def pipe(self) -> DockerPipe:
        """The engine's entry point."""
        return DockerPipe(self.context.getConf())

    def counters(self, rdd: Any, command: str, **options: Any) -> dict[str, float]:
        """Run one map and return the engine's own counters of it: where the time went."""
        pipe = self.pipe()
        pipe.map(rdd, self.image, command, **options).count()
        return pipe.counters.totals()

    @contextmanager
    def bare_workers(self) -> Iterator[None]:
        """Run the jobs in the block in Python workers that have never loaded the engine.

        Spark starts workers apart for each environment. The engine changes its workers (see
        `lofn.zip_caches`); a peer in the same ones would have its gain without its cost.
        """
        self.context.environment["LOFN_BENCH"] = "bare"
        try:
            yield
        finally:
            del self.context.environment["LOFN_BENCH"]

    def expect(self, name: str, answer: Any) -> None:
        """Stop if two arms, or two rounds, of one question differ in their answers."""
        if self.answers.setdefault(name, answer) != answer:
            raise AssertionError(
                f"{name}: one arm says {self.answers[name]!r:.200}, another {answer!r:.200}"
            )


@contextmanager
def spark(settings: Mapping[str, str]) -> Iterator[SparkContext]:
    """Spark on two local cores, quiet, with ``settings``."""
    from pyspark import SparkConf, SparkContext

    conf = SparkConf().setMaster("local[2]").setAppName("lofn benchmark")
    conf.set("spark.ui.enabled", "false").set("spark.ui.showConsoleProgress", "false")
    conf.set("spark.driver.memory", "2g")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    for name, value in settings.items():
        conf.set(name, value)
    context = SparkContext(conf=conf)
    context.setLogLevel("ERROR")
    try:
        yield context
    finally:
        context.stop()


def find_image(wanted: str | None) -> str:
    """Choose a Debian image that is here, or pull or make one."""
    for name in [wanted] if wanted else IMAGES:
        if _succeeds("docker", "image", "inspect", name):
            return name
    if _succeeds("docker", "pull", wanted or IMAGES[0]):
        return wanted or IMAGES[0]
    if wanted:
        raise SystemExit(f"the image {wanted} is not here and cannot be pulled")
    make = f"mmdebstrap --variant=minbase bookworm - {PACKAGES} | docker import - {IMAGES[-1]}"
    if not _succeeds("bash", "-o", "pipefail", "-c", make):
        raise SystemExit(f"no image: neither `docker pull {IMAGES[0]}` nor `{make}` works")
    return IMAGES[-1]


def _succeeds(*argv: str) -> bool:
    return subprocess.run(argv, capture_output=True, timeout=600, check=False).returncode == 0
