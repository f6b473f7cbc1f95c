"""Real node containers: boot, commands, files, failures, and that nothing is left of them."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from lofn_aws.errors import InfrastructureError
from lofn_aws.sandbox import image_build
from lofn_aws.sandbox.labels import CLUSTER_LABEL, INSTANCE_LABEL, SANDBOX_LABEL
from lofn_aws.sandbox.network import private_host_name
from lofn_aws.sandbox.nodes import NodeEngine, NodeFailed, NodeSpec

# Of this process alone: two runs of the suite on one machine must not sweep each other's nodes.
PREFIX = "tests-nodes-"
NAME = f"{PREFIX}{os.getpid()}"
BOOT_SECONDS = 180

pytestmark = [pytest.mark.docker, pytest.mark.sandbox]


def node(engine, instance_id, image, skip=0):
    addresses = engine.ensure_network().addresses
    for _ in range(skip):
        next(addresses)
    ip = next(addresses)
    return NodeSpec("j-T", instance_id, "core", ip, private_host_name(ip), image)


def sweep_dead_runs():
    """Remove what a killed run of this file left: its name carries a process that is gone."""
    client = docker.from_env()
    things = client.containers.list(all=True, filters={"label": SANDBOX_LABEL})
    names = {thing.labels[SANDBOX_LABEL] for thing in things}
    networks = client.networks.list(filters={"label": SANDBOX_LABEL})
    names |= {network.attrs["Labels"][SANDBOX_LABEL] for network in networks}
    for name in names:
        pid = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and not Path(f"/proc/{pid}").exists():
            NodeEngine(name).sweep()


@pytest.fixture(scope="module")
def engine():
    sweep_dead_runs()
    found = NodeEngine(NAME)
    yield found
    found.sweep()


@pytest.fixture(scope="module")
def nodes(engine):
    """Two booted nodes."""
    image = image_build.ensure_node_image(print)
    specs = [node(engine, f"i-{n}", image, skip=n) for n in range(2)]

    def boot(spec):
        engine.create_node(spec)
        engine.wait_booted(spec.instance_id, BOOT_SECONDS)

    with ThreadPoolExecutor() as pool:
        list(pool.map(boot, specs))
    return specs


def shell(engine, script, instance_id="i-0", **options):
    return engine.exec(instance_id, ["sh", "-c", script], **{"timeout": 60, **options})


def text(engine, script, instance_id="i-0", **options):
    done = shell(engine, script, instance_id, **options)
    assert done.exit_code == 0, done.stderr
    return done.stdout.decode().strip()


def test_a_booted_node_has_its_daemons_and_no_failed_unit(engine, nodes):
    assert text(engine, "systemctl is-system-running") == "running"
    assert text(engine, "systemctl is-active docker ssh") == "active\nactive"
    assert text(engine, "cat /proc/1/comm") == "systemd"


def test_nodes_find_each_other_by_ec2s_names(engine, nodes):
    assert text(engine, "hostname") == nodes[0].hostname
    found = text(engine, f"getent hosts {nodes[1].hostname}")
    assert found.split()[0] == nodes[1].ip


def test_host_keys_and_machine_ids_are_each_nodes_own(engine, nodes):
    for path in ("/etc/ssh/ssh_host_ed25519_key.pub", "/etc/ssh/ssh_host_ecdsa_key.pub"):
        keys = {engine.read_file(spec.instance_id, path).split()[1] for spec in nodes}
        assert len(keys) == 2
    ids = {engine.read_file(spec.instance_id, "/etc/machine-id") for spec in nodes}
    assert len(ids) == 2
    assert all(len(found.strip()) == 32 for found in ids)


def test_sshd_takes_keys_alone(engine, nodes):
    settings = text(engine, "sshd -T").splitlines()
    assert "passwordauthentication no" in settings
    assert "kbdinteractiveauthentication no" in settings
    assert "pubkeyauthentication yes" in settings
    assert "usedns no" in settings


def test_the_engine_in_a_node_is_its_own_and_can_join_a_swarm(engine, nodes):
    assert text(engine, "docker ps --quiet") == ""
    assert text(engine, "docker info --format '{{.Driver}} {{.LiveRestoreEnabled}}'") == (
        "overlay2 false"
    )
    assert "127.0.0.0/8" in text(engine, "docker info --format '{{.RegistryConfig}}' || true")


def test_hadoops_users_and_commands_come_with_the_applications(engine, nodes):
    assert shell(engine, "id yarn || id hdfs || id spark").exit_code
    assert shell(engine, "command -v hadoop || command -v spark-submit").exit_code
    assert text(engine, "sudo -n id -un", user="hadoop") == "root"


def test_python_makes_a_virtual_environment_without_a_network(engine, nodes):
    script = "unshare --net python3.11 -m venv /tmp/venv && /tmp/venv/bin/pip --version"
    assert "python 3.11" in text(engine, script)


def test_the_aws_command_is_new_enough_for_an_endpoint_in_its_configuration(engine, nodes):
    version = text(engine, "aws --version").split("/")[1].split(" ")[0]
    assert tuple(int(part) for part in version.split(".")[:2]) >= (1, 29)
    argv = ["/usr/libexec/emr/configure-aws", "http://192.0.2.1:9", "eu-north-1", "k", "s"]
    assert engine.exec("i-0", argv, timeout=30).exit_code == 0
    for user in ("hadoop", "root"):
        found = text(engine, "aws configure get endpoint_url; aws configure get region", user=user)
        assert found == "http://192.0.2.1:9\neu-north-1"
    assert text(engine, "stat -c '%U %a' ~/.aws/credentials", user="hadoop") == "hadoop 600"


def test_a_command_has_its_user_environment_folder_and_both_streams(engine, nodes):
    done = shell(
        engine,
        'id -un; pwd; echo "$GREETING"; echo problem >&2; exit 3',
        user="hadoop",
        env={"GREETING": "a b"},
        workdir="/var/tmp",
    )
    assert done.exit_code == 3
    assert done.stdout.decode().split("\n") == ["hadoop", "/var/tmp", "a b", ""]
    assert done.stderr == b"problem\n"


def test_a_command_that_takes_too_long_is_killed_on_the_node(engine, nodes):
    started = time.monotonic()
    done = shell(engine, "echo begun; sleep 4321", timeout=1)
    assert done.exit_code == 124
    assert done.stdout == b"begun\n"
    assert time.monotonic() - started < 30
    assert shell(engine, "pgrep -f '^sleep 4321'").exit_code == 1


def test_files_arrive_whole_with_owner_and_mode_and_come_back(engine, nodes):
    data = bytes(range(256)) * 4096
    engine.put_file("i-0", "/mnt/new/folder/file", data, mode=0o640, owner="hadoop")
    assert engine.read_file("i-0", "/mnt/new/folder/file") == data
    assert text(engine, "stat -c '%U %G %a' /mnt/new/folder/file") == "hadoop hadoop 640"
    assert text(engine, "ls /var/tmp/put-* 2>/dev/null || true") == ""
    assert engine.read_file("i-0", "/mnt/new/folder/none") is None


def test_a_file_for_a_user_that_is_not_there_names_node_path_and_user(engine, nodes):
    with pytest.raises(NodeFailed, match=r"writing /tmp/x on node i-0: .*nobody-here"):
        engine.put_file("i-0", "/tmp/x", b"", owner="nobody-here")


def test_a_node_that_was_killed_is_known_to_be_and_is_replaced(engine, nodes):
    spec = node(engine, "i-killed", nodes[0].image, skip=0)
    engine.create_node(spec)
    engine.wait_booted("i-killed", BOOT_SECONDS)
    docker.from_env().containers.get(f"lofn-{NAME}-i-killed").kill()
    assert not engine.alive("i-killed")
    with pytest.raises(NodeFailed, match="node i-killed"):
        engine.exec("i-killed", ["true"], timeout=5)
    with pytest.raises(NodeFailed, match="node i-killed stopped while booting"):
        engine.wait_booted("i-killed", 10)
    engine.remove_node("i-killed")
    engine.remove_node("i-killed")
    assert not engine.alive("i-killed")


def test_an_image_without_an_init_fails_to_boot_with_its_last_words(engine, nodes):
    image = image_build.ensure_registry_image(print)
    engine.create_node(replace(node(engine, "i-odd", image), role="task"))
    with pytest.raises(NodeFailed, match="node i-odd"):
        engine.wait_booted("i-odd", 3)
    engine.remove_node("i-odd")


def test_a_unit_that_fails_is_named_with_what_it_said(engine, nodes):
    script = "systemd-run --unit=broken sh -c 'echo the reason; exit 1'; sleep 1; true"
    assert shell(engine, script, "i-1").exit_code == 0
    with pytest.raises(NodeFailed, match=r"failed: broken.service: .*the reason"):
        engine.wait_booted("i-1", 20)
    assert shell(engine, "systemctl reset-failed", "i-1").exit_code == 0


def test_an_address_in_use_is_refused_in_dockers_words(engine, nodes):
    taken = replace(nodes[0], instance_id="i-twin")
    with pytest.raises(InfrastructureError, match=r"while starting node i-twin: .*in use"):
        engine.create_node(taken)
    engine.remove_node("i-twin")


def test_everything_is_labelled_and_a_sweep_by_another_process_leaves_nothing(engine, nodes):
    """Last: a new NodeEngine knows nothing of the first, as after a kill -9."""
    client = docker.from_env()
    chosen = {"label": f"{SANDBOX_LABEL}={NAME}"}
    labels = client.containers.get(f"lofn-{NAME}-i-0").labels
    assert labels[CLUSTER_LABEL] == "j-T"
    assert labels[INSTANCE_LABEL] == "i-0"
    volumes = client.volumes.list(filters=chosen)
    assert len(volumes) == 2
    removed = NodeEngine(NAME).sweep()
    assert sorted(removed)[:2] == [f"container lofn-{NAME}-i-0", f"container lofn-{NAME}-i-1"]
    assert f"network lofn-{NAME}" in removed
    assert client.containers.list(all=True, filters=chosen) == []
    assert client.networks.list(filters=chosen) == []
    assert client.volumes.list(filters=chosen) == []
    left = {volume.name for volume in client.volumes.list()}
    assert not left & {volume.name for volume in volumes}
    assert NodeEngine(NAME).sweep() == []
