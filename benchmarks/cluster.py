"""The toolkit's table: a cluster from nothing to proved, its swarm, and pushes of an image.

`python benchmarks/cluster.py [--rounds N] [--only NAME]` runs the real `lofn-aws --sandbox`
command in a sandbox named `bench` and writes its section of BENCHMARKS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import load, machine, timed
from benchmarks.report import write_section

SANDBOX = "bench"
PHASE = re.compile(r"^✓ (?P<title>.*): (?P<seconds>[0-9.]+) s$", re.MULTILINE)
MEGABYTE = 1_000_000
Row = tuple[str, str, str]


class Bench:
    """A project folder in which the command runs; it keeps nothing between runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LOFN_AWS_"))}
        self.env = {**kept, "LOFN_AWS_SANDBOX_NAME": SANDBOX, "XDG_CONFIG_HOME": str(folder)}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `lofn-aws --sandbox WORDS`; stops the benchmark with its words if it fails."""
        argv = [sys.executable, "-m", "lofn_aws", "--sandbox", *words]
        done = subprocess.run(argv, cwd=self.folder, env=self.env, capture_output=True, text=True,
                              timeout=1800, check=False)
        if done.returncode != 0:
            raise SystemExit(f"lofn-aws {' '.join(words)}: exit {done.returncode}\n{done.stderr}")
        return done

    def phases(self, *words: str) -> dict[str, float]:
        """Run the command and return the seconds of each phase it reports."""
        told = self.run(*words).stderr
        return {found["title"]: float(found["seconds"]) for found in PHASE.finditer(told)}


def of(phases: dict[str, float], *words: str) -> float:
    """Return the seconds of all phases whose title begins with one of `words`."""
    return sum(s for title, s in phases.items() if title.startswith(words))


def until(phases: dict[str, float], *words: str) -> float:
    """Return the seconds up to the end of the last phase whose title begins with one of `words`."""
    titles = list(phases)
    last = max(at for at, title in enumerate(titles) if title.startswith(words))
    return sum(phases[title] for title in titles[: last + 1])


def up(bench: Bench, count: int) -> list[Row]:
    """Three nodes, from no cluster to proved, `count` times; the last cluster stays."""
    ready: list[float] = []
    swarm: list[float] = []
    proved: list[float] = []
    for number in range(count):
        phases = bench.phases("up")
        ready.append(until(phases, "wait until"))
        swarm.append(until(phases, "start a Docker swarm", "join"))
        proved.append(sum(phases.values()))
        if number < count - 1:
            bench.run("down", "-y")
    names = ("EMR says WAITING", "the swarm is formed", "registry and probe are done")
    return [
        (f"up until {name}", seconds(figures), f"median of {count}")
        for name, figures in zip(names, (ready, swarm, proved))
    ]


def seconds(figures: list[float]) -> str:
    """The median of seconds, in words."""
    return f"{statistics.median(figures):.1f} s"


def swarm(bench: Bench, count: int) -> list[Row]:
    """Forming the swarm: the toolkit, and one ssh after the other as by hand."""
    ours: list[float] = []
    serial: list[float] = []
    nodes = json.loads(bench.run("status", "-o", "json").stdout)["instances"]
    for _ in range(count):
        leave(bench)
        phases = bench.phases("swarm", "sync")
        ours.append(of(phases, "start a Docker swarm", "join"))
        leave(bench)
        serial.append(timed(lambda: serial_loop(bench, nodes)))
    leave(bench)
    bench.run("up")
    ratio = statistics.median(b / a for a, b in zip(ours, serial))
    return [
        ("swarm of 3 nodes, by the toolkit", seconds(ours), f"median of {count}"),
        ("the same nodes, one ssh after the other", seconds(serial), f"{ratio:.1f} times as long"),
    ]


def leave(bench: Bench) -> None:
    """Take every node out of the swarm."""
    bench.run("exec", "--", "sudo", "/opt/lofn/bin/lofn-node", "swarm-leave")


def serial_loop(bench: Bench, nodes: list[dict[str, str]]) -> None:
    """What one does by hand with OpenSSH: init on the primary, then each worker in turn."""
    key = next(p for p in (bench.folder / "lofn-aws").iterdir() if "PRIVATE" in p.read_text())
    options = ["-i", str(key), "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
               "-o", "UserKnownHostsFile=/dev/null"]
    primary = next(n for n in nodes if n["role"] == "primary")
    jump = " ".join(["ssh", *options, "-W", "%h:%p", f"hadoop@{primary['address']}"])
    init = f"docker swarm init --advertise-addr {primary['private_ip']} >/dev/null"
    token = ssh(options, primary["address"], f"{init} && docker swarm join-token -q worker")
    for node in nodes:
        if node["role"] != "primary" and node["state"] == "RUNNING":
            join = f"docker swarm join --token {token} {primary['private_ip']}:2377"
            ssh([*options, "-o", f"ProxyCommand={jump}"], node["private_ip"], join)


def ssh(options: list[str], host: str, command: str) -> str:
    """Run one command by one new connection, as a shell loop does."""
    argv = ["ssh", *options, f"hadoop@{host}", command]
    return subprocess.run(
        argv, check=True, capture_output=True, text=True, timeout=120
    ).stdout.strip()


def push(bench: Bench, count: int) -> list[Row]:
    """An image of 100 MB, first and again with one small layer changed."""
    first: list[float] = []
    again: list[float] = []
    for number in range(count):
        name = f"lofn-bench/push{number}"
        build(bench, name, "one")
        first.append(timed(lambda name=name: bench.run("push", name)))
        build(bench, name, "two")
        again.append(timed(lambda name=name: bench.run("push", name)))
        subprocess.run(["docker", "image", "rm", "-f", name], check=True, capture_output=True)
    ratio = statistics.median(a / b for a, b in zip(first, again))
    return [
        ("push of 100 MB, first, to all 3 nodes", seconds(first), f"median of {count}"),
        ("the same with one small layer changed", seconds(again), f"{ratio:.1f} times faster"),
    ]


def build(bench: Bench, name: str, word: str) -> None:
    """Build `name`: a layer of 100 MB that does not compress, and a small one that says `word`."""
    context = bench.folder / name.replace("/", "-")
    context.mkdir(exist_ok=True)
    big = context / "big"
    if not big.exists():
        big.write_bytes(os.urandom(100 * MEGABYTE))
    (context / "small").write_text(word, encoding="utf-8")
    (context / "Dockerfile").write_text("FROM scratch\nCOPY big /big\nCOPY small /small\n")
    subprocess.run(["docker", "build", "-q", "-t", name, str(context)], check=True,
                   capture_output=True)


PARTS: dict[str, Callable[[Bench, int], list[Row]]] = {"up": up, "swarm": swarm, "push": push}


def main() -> None:
    """Run the parts asked for, write the section, and stop the sandbox whatever happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=PARTS, action="append")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lofn-bench-"))
    bench = Bench(folder)
    rows: list[Row] = []
    before = load()
    try:
        bench.run("sandbox", "start")
        for name, part in PARTS.items():
            if name == "up" and arguments.only and "up" not in arguments.only:
                bench.run("up")
            elif not arguments.only or name in arguments.only:
                rows += part(bench, arguments.rounds)
    finally:
        bench.run("sandbox", "stop")
        shutil.rmtree(folder)
    print(write_section("cluster", markdown(rows, before)))


def markdown(rows: list[Row], before: float) -> str:
    """Return the section."""
    facts = ", ".join(f"{name} {value}" for name, value in machine().items())
    table = "\n".join(f"| {what} | {value} | {note} |" for what, value, note in rows)
    return (
        "## The cluster\n\n`python benchmarks/cluster.py`: the real command, in the sandbox, a "
        "primary and two core nodes. Seconds are of this machine and say little by themselves; "
        f"the ratios do.\n\n{facts}; load before the run {before:.1f}.\n\n"
        f"| what | time | |\n|---|---|---|\n{table}\n"
    )


if __name__ == "__main__":
    main()
