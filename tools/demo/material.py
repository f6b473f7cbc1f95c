"""What the demo works on: the examples' images, and the alignment's data, each made only once."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from console import Console, DemoFailed

from lofn_aws.sandbox.image_build import ensure_base_image

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TEXT = EXAMPLES / "word_count" / "pride_and_prejudice.txt"
BUILD_SECONDS = 900.0
INDEX_SECONDS = 300.0


@dataclass(frozen=True)
class Material:
    """Image names, and the folder with reads_1.fq, reads_2.fq, pairs.tsv and reference/."""

    word_count: str
    alignment: str
    data: Path


def prepare(console: Console) -> Material:
    """Build the images (Docker's cache makes a second run quick) and fetch the data."""
    base = ensure_base_image(console.say)
    for example in ("word_count", "alignment"):
        image = example.replace("_", "-")
        console.say(f"image {image}")
        build(console, base, image, EXAMPLES / example)
    return Material("word-count", "alignment", _alignment_data(console, base))


def build(console: Console, base: str, tag: str, folder: Path, *options: str) -> None:
    """Build an image of an example on top of the plain Debian called ``base``."""
    command = ["docker", "build", "--quiet", "--build-arg", f"BASE={base}", "--tag", tag]
    console.output(*command, *options, str(folder), timeout=BUILD_SECONDS)


def _alignment_data(console: Console, base: str) -> Path:
    data = console.folder / "alignment"
    inspect = ["docker", "image", "inspect", "--format", "{{.Id}}", "alignment"]
    made_by = console.output(*inspect, timeout=30)
    stamp = data / "made-by"
    if stamp.exists() and stamp.read_bytes() == made_by:
        return data
    shutil.rmtree(data, ignore_errors=True)
    console.say("reads and genome of the phage lambda")
    build(console, base, "alignment-data", EXAMPLES / "alignment", "--target", "data")
    container = console.output("docker", "create", "alignment-data", "true", timeout=60)
    name = container.decode().strip()
    try:
        console.output("docker", "cp", f"{name}:/data", str(data), timeout=60)
    finally:
        console.output("docker", "rm", name, timeout=60)
    console.say("gsnap's index of the genome")
    tool(console, data, "alignment", "build-index", "/data/lambda.fa", "/data/reference")
    pairs = console.output(
        shutil.which("python3") or "python3",
        str(EXAMPLES / "alignment" / "pair_reads.py"),
        str(data / "reads_1.fq"),
        str(data / "reads_2.fq"),
        timeout=60,
    )
    (data / "pairs.tsv").write_bytes(pairs)
    if not any((data / "reference").rglob("*")):
        raise DemoFailed("build-index wrote no index")
    stamp.write_bytes(made_by)
    return data


def tool(console: Console, data: Path, image: str, *command: str) -> bytes:
    """Run a tool of an image once, on this machine, with ``data`` as /data; return its stdout."""
    user = f"{os.getuid()}:{os.getgid()}"
    docker = ["docker", "run", "--rm", "--network", "none", "--user", user]
    mount = ["--volume", f"{data}:/data"]
    return console.output(*docker, *mount, image, *command, timeout=INDEX_SECONDS)
