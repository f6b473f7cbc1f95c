from __future__ import annotations

import pytest

from lofn.errors import UsageError
from lofn.options import parse


def host(*options: str):
    return parse(list(options))["HostConfig"]


@pytest.mark.parametrize(
    "spelling", [["--memory=512m"], ["--memory", "512m"], ["-m", "512m"], ["-m 512m"], ["-m512m"]]
)
def test_every_spelling_of_docker_run(spelling):
    assert host(*spelling) == {"Memory": 512 << 20}


def test_common_options():
    body = parse(
        ["--ipc=host", "-e", "A=b c", "--cpus", "1.5", "--user=1:2", "--ulimit", "nofile=1:2",
         "-v", "/a:/b:ro", "--tmpfs", "/x:size=1m", "--cap-add", "SYS_PTRACE", "--privileged",
         "--shm-size=1g", "--label", "x=y", "--device", "/dev/fuse", "--rm", "--workdir", "/w",
         "--add-host", "h:1.2.3.4", "--gpus", "all"]
    )  # fmt: skip
    assert body["Env"] == ["A=b c"]
    assert body["User"] == "1:2"
    assert body["WorkingDir"] == "/w"
    assert body["Labels"] == {"x": "y"}
    made = body["HostConfig"]
    assert made["IpcMode"] == "host"
    assert made["NanoCpus"] == 1_500_000_000
    assert made["Ulimits"] == [{"Name": "nofile", "Soft": 1, "Hard": 2}]
    assert made["Mounts"] == [{"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": True}]
    assert made["Tmpfs"] == {"/x": "size=1m"}
    assert made["CapAdd"] == ["SYS_PTRACE"]
    assert made["Privileged"] is True
    assert made["ShmSize"] == 1 << 30
    assert made["Devices"][0]["PathInContainer"] == "/dev/fuse"
    assert made["ExtraHosts"] == ["h:1.2.3.4"]
    assert made["DeviceRequests"][0]["Count"] == -1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--memroy=1g"], "did you mean --memory"),
        (["--memory"], "needs a value"),
        (["--memory=lots"], "has a value Docker does not take"),
        (["--name=x"], "has no place here"),
        (["-it"], "no terminal"),
        (["--entrypoint", "sh"], "entrypoint"),
        (["--env", "HOME"], "needs its value"),
        (["memory=1g"], "does not start with a dash"),
        (["--label", "lofn.stage=3"], "the engine's own"),
        (["-v", "data:/x"], "volumes="),
        ("--memory=1g", "must be a list"),
        ([3], "must be text"),
    ],
)
def test_what_is_wrong_is_named(options, said):
    with pytest.raises(UsageError, match=said):
        parse(options)
