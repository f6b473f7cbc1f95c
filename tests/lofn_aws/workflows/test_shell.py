"""`ssh`: which node is meant, and the files that OpenSSH is given."""

import subprocess
from pathlib import Path

import pytest

from lofn_aws.errors import NotFoundError
from lofn_aws.model.cluster import Instance
from lofn_aws.workflows.shell import chosen, known_hosts, ssh_config

PRIMARY = Instance("ci-1", "i-1", "primary", "RUNNING", "m5", "10.0.0.1", "ip-10-0-0-1", "3.4.5.6")
CORE = Instance("ci-2", "i-2", "core", "RUNNING", "m5", "10.0.0.2", "ip-10-0-0-2")
NODES = [PRIMARY, CORE]


@pytest.mark.parametrize(("wanted", "found"), [
    ("all", NODES), ("primary", [PRIMARY]), ("core", [CORE]), ("10.0.0.2", [CORE]),
    ("i-2", [CORE]), ("ip-10-0-0-1", [PRIMARY]), ("3.4.5.6", [PRIMARY]),
])
def test_chosen(wanted: str, found: list[Instance]) -> None:
    assert chosen(NODES, wanted) == found


def test_an_unknown_node_lists_those_there_are() -> None:
    with pytest.raises(NotFoundError, match=r"called task; there are 10\.0\.0\.1, 10\.0\.0\.2"):
        chosen(NODES, "task")


def test_known_hosts_has_keys_without_comments() -> None:
    text = known_hosts({"a": "ssh-rsa AAA root@x\nssh-ed25519 BBB\n\nbroken\n", "b": ""})
    assert text == "a ssh-rsa AAA\na ssh-ed25519 BBB\n"


@pytest.mark.parametrize("target", NODES)
def test_openssh_reads_the_configuration(target: Instance, tmp_path: Path) -> None:
    """OpenSSH itself says what it makes of the file: pinned keys, and the way through."""
    config = tmp_path / "config"
    config.write_text(ssh_config("/k.pem", "/known", PRIMARY, target))
    text = subprocess.run(["ssh", "-G", "-F", str(config), "lofn-node"], check=True,
                          capture_output=True, text=True, timeout=20).stdout
    said = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    assert said["hostname"] == (target.address or target.private_ip)
    assert said["user"] == "hadoop"
    assert said["stricthostkeychecking"] in {"yes", "true"}
    assert said["userknownhostsfile"] == "/known"
    assert said["hostkeyalias"] == "lofn-node"
    assert said.get("proxyjump") == (None if target is PRIMARY else "lofn-primary")
