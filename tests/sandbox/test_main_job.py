"""The path a person takes: up, push, cp, step, submit, fetch; each by the real command."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.sandbox.harness import Project

IMAGE = "localhost:5000/lofn-tests/busybox:1"
WORDS = [f"{word} {number % 7}" for number, word in enumerate(["oak", "elm", "ash"] * 400)]


@pytest.fixture(scope="module")
def pushed(cluster: Project, busybox: str) -> str:
    """The name under which the pushed image is known on the nodes."""
    name = cluster.run("push", busybox).stdout.strip().splitlines()[-1]
    assert name == IMAGE
    return name


@pytest.fixture(scope="module")
def words(cluster: Project, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A text in the cluster's HDFS."""
    local = tmp_path_factory.mktemp("words") / "words.txt"
    local.write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    cluster.run("cp", str(local), "hdfs:///tests/words/words.txt")
    return "hdfs:///tests/words"


def test_second_up_has_nothing_to_do(cluster: Project) -> None:
    """`up` on a finished cluster changes nothing and says so."""
    done = cluster.run("up")
    assert "nothing to do" in (done.stdout + done.stderr).lower()
    listed = cluster.run("list", "-o", "json").json
    assert [c["name"] for c in listed] == ["shared"]


def test_status_tells_nodes(cluster: Project) -> None:
    """`status` names the state and each of the three nodes."""
    told = cluster.run("status", "-o", "json").stdout
    assert "WAITING" in told
    assert told.count("ip-") >= 3


def test_every_node_pulled_what_was_pushed(cluster: Project, pushed: str) -> None:
    """After `push`, each node has the image without asking anyone."""
    done = cluster.run("exec", "--", "docker", "image", "inspect", "-f", "{{.Id}}", pushed)
    assert done.stdout.count("sha256:") == 3, done.stdout


def test_map_step(cluster: Project, pushed: str, words: str, tmp_path: Path) -> None:
    """A map step without Python: each line goes through the container exactly once."""
    out = "hdfs:///tests/upper"
    cluster.run(
        "step", "map", "--image", pushed, "--command",
        "tr a-z A-Z < /shared/input.txt > /shared/output.txt",
        "--input", words, "--output", out, "--partitions", "4",
    )
    cluster.run("cp", out, str(tmp_path / "upper"))
    parts = sorted((tmp_path / "upper").rglob("part-*"))
    lines = [line for part in parts for line in part.read_text().splitlines()]
    assert Counter(lines) == Counter(line.upper() for line in WORDS)


def test_reduce_step(cluster: Project, pushed: str, words: str, tmp_path: Path) -> None:
    """A reduce step: partial sorts are merged up a tree into one sorted result."""
    out = "hdfs:///tests/sorted"
    cluster.run(
        "step", "reduce", "--image", pushed, "--command",
        "sort /shared/input.txt > /shared/output.txt",
        "--input", words, "--output", out, "--partitions", "5",
    )
    cluster.run("cp", out, str(tmp_path / "sorted.txt"))
    assert (tmp_path / "sorted.txt").read_text().splitlines() == sorted(WORDS)


def test_volume_from_hdfs(cluster: Project, pushed: str, words: str, tmp_path: Path) -> None:
    """A folder in HDFS is there, read-only, in each container."""
    reference = tmp_path / "reference"
    reference.mkdir()
    (reference / "names.txt").write_text("oak\nash\n", encoding="utf-8")
    cluster.run("cp", str(reference), "hdfs:///tests/reference")
    cluster.run(
        "step", "map", "--image", pushed, "--command",
        "grep -F -f /ref/names.txt /shared/input.txt > /shared/output.txt;"
        " touch /ref/x 2>/dev/null && echo WRITABLE >> /shared/output.txt; true",
        "--input", words, "--output", "hdfs:///tests/kept", "--partitions", "3",
        "--volume", "hdfs:///tests/reference:/ref",
    )
    cluster.run("cp", "hdfs:///tests/kept", str(tmp_path / "kept"))
    parts = sorted((tmp_path / "kept").rglob("part-*"))
    lines = [line for part in parts for line in part.read_text().splitlines()]
    assert Counter(lines) == Counter(w for w in WORDS if not w.startswith("elm"))


def test_failing_container_is_explained(cluster: Project, pushed: str, words: str) -> None:
    """A container that fails ends the step with exit code 10 and its own words."""
    done = cluster.run(
        "step", "map", "--image", pushed, "--command", "echo no-such-gene >&2; exit 7",
        "--input", words, "--output", "hdfs:///tests/never", "--partitions", "2",
        check=False,
    )
    told = done.stdout + done.stderr
    assert done.exit_code == 10, told
    assert "no-such-gene" in told
    assert pushed in told
    assert "7" in told


def test_submit_script(cluster: Project, tmp_path: Path) -> None:
    """A script of the person's own runs with its arguments, on the engine's interpreter."""
    script = tmp_path / "count.py"
    script.write_text(
        "import sys\n"
        "from pyspark import SparkContext\n"
        "import lofn.api\n"
        "sc = SparkContext()\n"
        "where = sc.parallelize(range(4), 4).map(lambda _: sys.executable).collect()\n"
        "assert set(where) == {'/opt/lofn/venv/bin/python'}, where\n"
        "print('TOTAL', sum(sc.parallelize(range(int(sys.argv[1]))).collect()))\n",
        encoding="utf-8",
    )
    done = cluster.run("submit", str(script), "--", "100")
    assert "TOTAL 4950" in done.stdout


def test_submit_failing_script(cluster: Project, tmp_path: Path) -> None:
    """A script that raises gives exit code 10, with the traceback's file, line and message."""
    script = tmp_path / "broken.py"
    script.write_text("def broken():\n    raise ValueError('bad gene 42')\n\n\nbroken()\n")
    done = cluster.run("submit", str(script), check=False)
    assert done.exit_code == 10, done.stderr
    assert "bad gene 42" in done.stderr
    assert "line 2" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code", "named"),
    [
        (["push", "no-such-image:9"], 3, "no-such-image:9"),
        (["cp", "/no/such/file", "hdfs:///x"], 3, "/no/such/file"),
        (["cp", "hdfs:///no/such/file", "/tmp/lofn-never"], 3, "hdfs:///no/such/file"),
        (["submit", "/no/such/script.py"], 3, "/no/such/script.py"),
        (["step", "map", "--image", "x"], 2, "--command"),
        (["status", "-c", "nobody"], 3, "nobody"),
    ],
)
def test_bad_input_is_one_sentence(
    cluster: Project, arguments: list[str], exit_code: int, named: str
) -> None:
    """What is wrong is named, with the right exit code and without a traceback."""
    done = cluster.run(*arguments, check=False)
    assert done.exit_code == exit_code, done.stderr
    assert named in done.stderr
    assert "Traceback" not in done.stderr
