"""Recorded push streams of a real engine and registry: 100 MB first, then one small layer."""

import json
from functools import reduce
from pathlib import Path

import pytest

from lofn_aws.facts.docker_progress import PushProgress, digest_of, pull_error

GOLDEN = Path(__file__).parents[2] / "golden" / "docker"


def played(name: str) -> PushProgress:
    lines = (GOLDEN / name).read_text().splitlines()
    return reduce(lambda so_far, line: so_far.after(json.loads(line)), lines, PushProgress())


def test_first_push_sends_every_layer() -> None:
    end = played("push_first.jsonl")
    assert len(end.sent) == 2 and not end.kept and not end.error
    assert sum(layer.total for layer in end.sent) == 101_982_368
    assert end.digest.startswith("sha256:4ae7f1614cf9")


def test_second_push_sends_the_changed_layer_alone() -> None:
    end = played("push_again.jsonl")
    assert [layer.total for layer in end.sent] == [29]
    assert len(end.kept) == 2


def test_half_way_layers_are_neither_sent_nor_kept() -> None:
    line = {"status": "Pushing", "progressDetail": {"current": 5, "total": 9}, "id": "ab"}
    half = PushProgress().after(line)
    assert (half.layers["ab"].done, half.layers["ab"].ended) == (5, False)


@pytest.mark.parametrize(
    "message", [{"errorDetail": {"message": "EOF"}, "error": "EOF"}, {"error": "EOF"}]
)
def test_error_is_kept(message: dict[str, object]) -> None:
    assert PushProgress().after(message).error == "EOF"


PULLED = """1: Pulling from tools/big
fd889b09bd6d: Already exists
Digest: sha256:0adf1346dde141c6021674f314d0716bc797a79ec84db51c6626c703cec0806a
Status: Downloaded newer image for localhost:5000/tools/big:1
"""


def test_digest_of_pull_and_push() -> None:
    digest = "sha256:0adf1346dde141c6021674f314d0716bc797a79ec84db51c6626c703cec0806a"
    assert digest_of(PULLED) == digest
    assert digest_of(f"x: digest: {digest} size: 948\n") == digest
    assert digest_of("nothing") == ""


def test_pull_error_is_the_line_that_says_why() -> None:
    said = "Using default tag\nError response from daemon: manifest unknown\n"
    assert pull_error(said) == "Error response from daemon: manifest unknown"
    assert pull_error("") == "no output"
