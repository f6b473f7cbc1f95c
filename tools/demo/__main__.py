"""The demo: two examples over a three-node cluster on this machine, checked, and all taken down.

Every cluster command below is one that a person types; on AWS they are the same without
``--sandbox``. Exit code 0 when the results are right and nothing is left, 1 when not, 130 after
Ctrl-C; in each case the sandbox is taken down.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

from compare import compare_alignments, compare_counts
from console import Console, DemoFailed, to_nowhere
from leftovers import leftovers
from material import EXAMPLES, TEXT, Material, prepare

SANDBOX = "demo"
ROOT = Path(__file__).resolve().parents[2]
LOFN_AWS = str(Path(sys.executable).with_name("lofn-aws"))
REGISTRY = "localhost:5000"
PARTITIONS = "8"
# One executor for each core node: more would only share this machine's processors.
EXECUTORS = ("--conf", "spark.dynamicAllocation.maxExecutors=2")

# Seconds. The first start builds the node image; everything else is minutes at worst.
START, UP, STEP, COPY, DOWN, SETTLE = 1500.0, 900.0, 600.0, 300.0, 180.0, 10.0


def main() -> int:
    """Run the demo, take the sandbox down whatever happened, and return the exit code."""
    console = Console(work_folder(), environment())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, hung_up)
    try:
        code = attempt(console)
    finally:
        # From here to the end Ctrl-C would only leave things behind.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        clean = take_down(console)
    if code == 0 and clean:
        console.summary()
        console.say("\nThe demo is done: results as without Spark, and nothing is left running.")
    return code or (0 if clean else 1)


def hung_up(_number: int, _frame: object) -> None:
    """The terminal is gone: take the sandbox down all the same, and print to nowhere."""
    to_nowhere()
    raise KeyboardInterrupt


def attempt(console: Console) -> int:
    """Run every phase up to `down`; return 0, 1 or 130."""
    try:
        play(console)
    except KeyboardInterrupt:
        console.say("\ndemo: interrupted; taking the sandbox down")
        return 130
    except Exception as error:
        console.say(f"\ndemo: {error}")
        if not isinstance(error, DemoFailed):
            console.say(f"demo: unexpected {type(error).__name__}")
        return 1
    return 0


def play(console: Console) -> None:
    """The phases, in order."""
    with console.phase("images and data of the two examples"):
        material = prepare(console)
    with console.phase("the sandbox: an EMR on this machine"):
        lofn_aws(console, "sandbox", "start", timeout=START)
    with console.phase("a cluster of one primary and two core nodes"):
        lofn_aws(console, "up", timeout=UP)
    with console.phase("the images, to the cluster's own registry"):
        lofn_aws(console, "push", material.word_count, timeout=COPY)
        lofn_aws(console, "push", material.alignment, timeout=COPY)
    with console.phase("the data, to HDFS"):
        lofn_aws(console, "cp", str(TEXT), "hdfs:///texts/novel.txt", timeout=COPY)
        reference = str(material.data / "reference")
        lofn_aws(console, "cp", reference, "hdfs:///reference", timeout=COPY)
        pairs = str(material.data / "pairs.tsv")
        lofn_aws(console, "cp", pairs, "hdfs:///reads/pairs.tsv", timeout=COPY)
    with console.phase("word count: a Spark script"):
        script = str(EXAMPLES / "word_count" / "word_count.py")
        arguments = ["hdfs:///texts/novel.txt", "hdfs:///counts", "--partitions", PARTITIONS]
        lofn_aws(console, "submit", *EXECUTORS, script, "--", *arguments, timeout=STEP)
    with console.phase("word count: two steps and no script"):
        word_count_by_steps(console, material)
    with console.phase("alignment: a Spark script, with the reference as a volume"):
        script = str(EXAMPLES / "alignment" / "alignment.py")
        files = ["hdfs:///reads/pairs.tsv", "hdfs:///reads/pairs.bam"]
        lofn_aws(console, "submit", *EXECUTORS, script, "--", *files, timeout=STEP)
    fetch_and_compare(console, material)
    with console.phase("the cluster, down"):
        lofn_aws(console, "down", "--yes", timeout=DOWN)


def word_count_by_steps(console: Console, material: Material) -> None:
    """The word count by `step map` and `step reduce`."""
    image = f"{REGISTRY}/{material.word_count}"
    step = ["step", "map", *EXECUTORS, "--image", image, "--partitions", PARTITIONS]
    step += ["--command", "count-words < /shared/input.txt > /shared/output.txt"]
    step += ["--input", "hdfs:///texts/novel.txt", "--output", "hdfs:///counts-of-partitions"]
    lofn_aws(console, *step, timeout=STEP)
    step = ["step", "reduce", *EXECUTORS, "--image", image]
    step += ["--command", "sum-counts < /shared/input.txt > /shared/output.txt"]
    step += ["--input", "hdfs:///counts-of-partitions", "--output", "hdfs:///counts-by-steps"]
    lofn_aws(console, *step, timeout=STEP)


def fetch_and_compare(console: Console, material: Material) -> None:
    """Copy the results to this machine and hold them against one run of each tool."""
    results = console.folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir()
    with console.phase("the results, to this machine"):
        for name in ("counts", "counts-by-steps"):
            lofn_aws(console, "cp", f"hdfs:///{name}", str(results / name), timeout=COPY)
        bam = results / "pairs.bam"
        lofn_aws(console, "cp", "hdfs:///reads/pairs.bam", str(bam), timeout=COPY)
    with console.phase("the same tools once, without Spark: are the results the same?"):
        compare_counts(console, material, results / "counts", results / "counts-by-steps")
        compare_alignments(console, material, bam)


def take_down(console: Console) -> bool:
    """Stop the sandbox and say what is left of it, which should be nothing."""
    try:
        with console.phase("the sandbox, stopped; what is left?"):
            lofn_aws(console, "sandbox", "stop", timeout=DOWN, own_session=True)
            left = settled(console)
            console.say("left: " + (", ".join(left) or "nothing"))
    except DemoFailed as error:
        console.say(f"demo: {error}")
        return False
    return not left


def settled(console: Console) -> list[str]:
    """Return what is left, after a few seconds in which a process may come to its end."""
    until = time.monotonic() + SETTLE
    while (left := leftovers(console, SANDBOX)) and time.monotonic() < until:
        time.sleep(0.5)
    return left


def lofn_aws(console: Console, *words: str, timeout: float, own_session: bool = False) -> None:
    """Run `lofn-aws --sandbox WORDS`."""
    console.run(LOFN_AWS, "--sandbox", *words, timeout=timeout, own_session=own_session)


def work_folder() -> Path:
    """Return the folder that keeps what a second run uses again; git ignores it."""
    folder = ROOT / ".cache" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def environment() -> dict[str, str]:
    """Return this environment less what would lead to another account, cluster or sandbox."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LOFN_AWS_"))}
    return {**kept, "LOFN_AWS_SANDBOX_NAME": SANDBOX}


if __name__ == "__main__":
    sys.exit(main())
