"""Rounds of arms run in turn, their medians, and the facts of the machine they ran on."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

Arm = Callable[[], float]  # runs once and returns seconds


@dataclass
class Line:
    """One line of the table: what was asked, what came out, and where the time went."""

    name: str
    what: str
    target: str
    value: float
    reached: bool
    unit: str = "x"
    rounds: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    breakdown: dict[str, float] = field(default_factory=dict)
    load: float = 0.0
    notes: str = ""


def timed(action: Callable[[], object]) -> float:
    """Seconds that ``action`` takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def rounds(arms: Mapping[str, Arm], count: int) -> list[dict[str, float]]:
    """Run every arm once per round, one after the other, so that drift touches all alike."""
    return [{name: arm() for name, arm in arms.items()} for _ in range(count)]


def median_of(results: list[dict[str, float]], ratio: Callable[[dict[str, float]], float]) -> float:
    """Median over rounds of a ratio of one round's arms."""
    return statistics.median(ratio(result) for result in results)


def medians(results: list[dict[str, float]]) -> dict[str, float]:
    """Median of each arm."""
    return {name: statistics.median(r[name] for r in results) for name in results[0]}


def container_cost(image: str, network: str, count: int = 32, at_once: int = 4) -> float:
    """Seconds of machine time per `docker run --rm` of ``true``, ``at_once`` at a time."""
    argv = ["docker", "run", "--rm", "--network", network, image, "true"]

    def one(_: int) -> None:
        subprocess.run(argv, check=True, capture_output=True, timeout=120)

    with ThreadPoolExecutor(at_once) as pool:
        return timed(lambda: list(pool.map(one, range(count)))) / count


def load() -> float:
    """Processes that wanted a processor over the last minute."""
    return os.getloadavg()[0]


def machine() -> dict[str, str]:
    """Facts that figures depend on."""
    docker = _said("docker", "version", "--format", "{{.Server.Version}}")
    return {
        "processors": str(os.cpu_count()),
        "kernel": platform.release(),
        "Docker Engine": docker,
        "Python": platform.python_version(),
        "commit": _said("git", "rev-parse", "--short", "HEAD"),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def _said(*argv: str) -> str:
    try:
        return subprocess.run(
            argv, capture_output=True, text=True, check=True, timeout=30
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"
