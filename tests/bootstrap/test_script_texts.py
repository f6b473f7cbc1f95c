"""What the scripts' texts have to keep: options that old tools know, deadlines inside others."""

from __future__ import annotations

import re

from lofn_aws.assets import asset_dir
from lofn_aws.workflows import apply_nodes

# Of `pip install --help` in pip 21.3, which Amazon Linux 2023 has for Python 3.9.
OLD_PIP = {"--quiet", "--no-deps", "--no-index", "--force-reinstall",
           "--disable-pip-version-check"}


def test_pip_is_given_options_that_old_ones_know() -> None:
    text = (asset_dir("bootstrap") / "lofn-bootstrap.sh").read_text().replace("\\\n", " ")
    (line,) = [line for line in text.splitlines() if "pip install" in line]
    assert set(re.findall(r"--[a-z-]+", line)) <= OLD_PIP


def test_ssh_waits_for_longer_than_a_node_waits_for_its_lock() -> None:
    """Else the sentence that says who holds the lock would never arrive."""
    text = (asset_dir("bootstrap") / "lofn-node.sh").read_text()
    inner = max(int(seconds) for seconds in re.findall(r"flock -w (\d+)", text))
    assert inner == apply_nodes.LOCK_SECONDS
    outer = {name: value for name, value in vars(apply_nodes).items()
             if name in {"GROUP_SECONDS", "SWARM_SECONDS", "LOAD_SECONDS", "REGISTRY_SECONDS"}}
    assert len(outer) == 4
    assert min(outer.values()) > inner + 60
