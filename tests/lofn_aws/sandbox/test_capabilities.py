import pytest

from lofn_aws.errors import UsageError
from lofn_aws.sandbox.capabilities import HostFacts, missing_capabilities, run_options

EVERYTHING = (1 << 41) - 1
NO_SYS_RESOURCE = EVERYTHING & ~(1 << 24)


def test_cgroup_v2_with_everything_is_privileged_in_its_own_cgroup_namespace():
    config = run_options(HostFacts(2, EVERYTHING, 40)).host_config()
    assert config["Privileged"] is True
    assert config["CgroupnsMode"] == "private"
    assert config["CapAdd"] == config["CapDrop"] == config["SecurityOpt"] == []
    assert "Binds" not in config
    assert config["Tmpfs"].keys() == {"/run", "/run/lock"}


def test_cgroup_v1_with_everything_is_privileged_on_the_hosts_hierarchy():
    config = run_options(HostFacts(1, EVERYTHING, 40)).host_config()
    assert config["Privileged"] is True
    assert config["CgroupnsMode"] == "host"
    assert config["Binds"] == ["/sys/fs/cgroup:/sys/fs/cgroup:rw"]


@pytest.mark.parametrize("cgroup_version", [1, 2])
def test_a_missing_capability_is_dropped_by_name_instead_of_asking_for_privileged(cgroup_version):
    config = run_options(HostFacts(cgroup_version, NO_SYS_RESOURCE, 40)).host_config()
    assert config["Privileged"] is False
    assert config["CapAdd"] == ["ALL"]
    assert config["CapDrop"] == ["SYS_RESOURCE"]
    assert config["SecurityOpt"] == ["seccomp=unconfined", "apparmor=unconfined"]
    assert config["MaskedPaths"] == config["ReadonlyPaths"] == []
    assert config["Binds"] == ["/sys/fs/cgroup:/sys/fs/cgroup:rw"]


def test_the_capability_names_are_at_the_kernels_numbers():
    only = {0: "CHOWN", 7: "SETUID", 12: "NET_ADMIN", 21: "SYS_ADMIN", 24: "SYS_RESOURCE"}
    only |= {27: "MKNOD", 34: "SYSLOG", 39: "BPF", 40: "CHECKPOINT_RESTORE"}
    for bit, name in only.items():
        assert missing_capabilities(HostFacts(2, EVERYTHING & ~(1 << bit), 40)) == (name,)


def test_capabilities_that_an_older_kernel_does_not_know_are_not_missing():
    linux_5_4 = HostFacts(2, (1 << 38) - 1, 37)
    assert missing_capabilities(linux_5_4) == ()
    assert run_options(linux_5_4).privileged


def test_a_rootless_engine_is_refused():
    rootless = HostFacts(2, EVERYTHING, 40, ("name=seccomp,profile=default", "name=rootless"))
    with pytest.raises(UsageError, match="runs as root; this one is rootless"):
        run_options(rootless)
