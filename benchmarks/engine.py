r"""The engine's table: each line a ratio measured in one run, and where the time goes.

    python -m benchmarks.engine [--quick] [--only NAME ...]

Prints the table and writes it to BENCHMARKS.md. Lines that were not run this time keep their
earlier figures and date; lines never run say so.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

if __package__ in (None, ""):  # run as a file: make the package importable, here and in workers
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
ROOT = Path(__file__).resolve().parent.parent
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])
)

from benchmarks import engine_bytes, engine_reference, engine_table, engine_words  # noqa: E402
from benchmarks.engine_bench import Bench, find_image, spark  # noqa: E402
from benchmarks.measure import Line, machine  # noqa: E402
from benchmarks.report import RESULTS, write_section  # noqa: E402

LINES: dict[str, Callable[[Bench], list[Line]]] = {
    "fresh": engine_words.fresh,
    "reuse": engine_words.reuse,
    "map-reduce": engine_words.map_reduce,
    "flat-reduce": engine_words.flat_reduce,
    "sleep": engine_words.sleepers,
    "cat": engine_bytes.cat,
    "bytes": engine_bytes.whole_bytes,
    "memory": engine_bytes.memory,
    "reference": engine_reference.reference,
}
FRESH_WORKERS = {"memory": {"spark.python.worker.reuse": "false"}}


def main() -> int:
    """Run what was asked for; 0 if every line that ran reached its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("--only", action="append", choices=LINES, help="run this line; repeatable")
    parser.add_argument("--quick", action="store_true", help="less data, one round: a smoke test")
    parser.add_argument("--full", action="store_true", help="time the pairwise way on all records")
    parser.add_argument("--rounds", type=int, help="rounds per line (default 5)")
    parser.add_argument("--image", help="a Debian image (default: one that is here, or made)")
    args = parser.parse_args()
    rounds = args.rounds or (1 if args.quick else 5)
    image = find_image(args.image)
    done: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="lofn-bench-") as folder:
        for name in args.only or LINES:
            with spark(FRESH_WORKERS.get(name, {})) as context:
                bench = Bench(image, Path(folder), rounds, args.quick, args.full, context)
                for line in LINES[name](bench):
                    done.append(line)
                    print(engine_table.row(line), flush=True)
                    if not args.quick:
                        _keep(line)
    if not args.quick:
        print(write_section("engine", engine_table.section(_kept())))
    return 0 if all(line.reached for line in done) else 1


def _keep(line: Line) -> None:
    """Keep a line with the facts of the machine it ran on; a later run of it replaces it."""
    kept = _kept()
    kept[line.name] = {**asdict(line), "machine": machine()}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "engine.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _kept() -> dict[str, dict[str, object]]:
    try:
        return dict(json.loads((RESULTS / "engine.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    pass


if __name__ == "__main__":
    sys.exit(main())
