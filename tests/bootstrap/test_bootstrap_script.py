"""The bootstrap action's refusals; that it works is shown by every cluster of tests/sandbox."""

from __future__ import annotations

import pytest

from tests.bootstrap.conftest import Node

pytestmark = pytest.mark.docker

SCRIPT = "/scripts/lofn-bootstrap.sh"
GIVEN = {"--bucket": "b", "--run-id": "r", "--wheel": "s3://b/w", "--node-script": "s3://b/n"}


@pytest.mark.parametrize("missing", GIVEN)
def test_every_argument_is_needed(unchanged: Node, missing: str) -> None:
    words = [word for pair in GIVEN.items() if pair[0] != missing for word in pair]
    done = unchanged.run("sh", SCRIPT, *words, user="hadoop")
    assert done.returncode == 1
    assert f"{missing} is missing" in done.stderr


def test_unknown_argument_is_named(unchanged: Node) -> None:
    done = unchanged.run("sh", SCRIPT, "--wheels", "s3://b/w", user="hadoop")
    assert done.returncode == 1
    assert "unknown argument --wheels" in done.stderr


def test_docker_that_does_not_start_fails_with_one_line(unchanged: Node) -> None:
    """Without systemd the engine cannot be started, and EMR must be told by the exit code."""
    words = [word for pair in GIVEN.items() for word in pair]
    done = unchanged.run("sh", SCRIPT, *words, user="hadoop")
    assert done.returncode == 1
    assert "systemctl cannot start docker" in done.stderr
