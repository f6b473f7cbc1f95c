"""Whether the cluster's results are those of the same tools run once, without Spark."""

from pathlib import Path

from console import Console, DemoFailed
from material import TEXT, Material, tool

TOOL_SECONDS = 120.0


def compare_counts(console: Console, material: Material, *results: Path) -> None:
    """Compare results (a file or a folder each) with one run of the tool over the whole text."""
    command = ["docker", "run", "--rm", "--interactive", "--network", "none", material.word_count]
    once = console.output(*command, "count-words", timeout=TOOL_SECONDS, stdin=TEXT.read_bytes())
    expected = once.decode().splitlines()
    for result in results:
        counts = sorted(_lines_of(result))
        if counts != sorted(expected):
            wrong = sorted(set(counts) ^ set(expected))[:5]
            raise DemoFailed(f"{result.name}: not one run's counts; the first apart: {wrong}")
    total = sum(int(line.split("\t")[1]) for line in expected)
    console.say(
        f"word counts: {len(expected):,} words, {total:,} in all, as in one run of the tool"
    )


def compare_alignments(console: Console, material: Material, merged: Path) -> None:
    """Compare a BAM file with what one run over all reads gives: flagstat and every record."""
    once, from_cluster = material.data / "once.bam", material.data / "cluster.bam"
    once.unlink(missing_ok=True)
    tool(
        console, material.data, material.alignment, "align-pairs", "/data/reference",
        "/data/reads_1.fq", "/data/reads_2.fq", f"/data/{once.name}",
    )  # fmt: skip
    from_cluster.write_bytes(merged.read_bytes())
    flagstat = [_samtools(console, material, "flagstat", bam) for bam in (once, from_cluster)]
    if flagstat[0] != flagstat[1]:
        said = "\n".join(text.decode() for text in flagstat)
        raise DemoFailed(f"samtools flagstat differs, one run first:\n{said}")
    records = [sorted(_samtools(console, material, "view", bam).splitlines())
               for bam in (once, from_cluster)]  # fmt: skip
    if records[0] != records[1]:
        wrong = next(a for a, b in zip(*records) if a != b)
        raise DemoFailed(f"the sorted alignments differ, first in: {wrong.decode()}")
    mapped = next(line for line in flagstat[0].decode().splitlines() if " mapped (" in line)
    console.say(f"alignments: {len(records[0]):,} records, {mapped}; as in one run")


def _lines_of(result: Path) -> list[str]:
    """The lines of a file, or of the parts of a folder that Spark wrote."""
    parts = [result] if result.is_file() else sorted(result.rglob("part-*"))
    return [line for part in parts for line in part.read_text().splitlines()]


def _samtools(console: Console, material: Material, verb: str, bam: Path) -> bytes:
    return tool(console, material.data, material.alignment, "samtools", verb, f"/data/{bam.name}")
