"""`docker run` options, as `docker_options` gives them, to a create request (pure)."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lofn.errors import UsageError

_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SHORT = {
    "-m": "--memory", "-c": "--cpu-shares", "-e": "--env", "-u": "--user", "-w": "--workdir",
    "-v": "--volume", "-h": "--hostname", "-l": "--label", "-p": "--publish",
    "--net": "--network", "--dns-opt": "--dns-option",
}  # fmt: skip
_REFUSED = {
    "--name": "each container has a name of its own; find them by the label lofn=1",
    "--entrypoint": "the image's entrypoint is set aside anyway; name the program in command",
    "--restart": "a container that fails is run again by Spark, not by Docker",
    "--detach": "the engine waits for the command's end", "-d": "the engine waits for the end",
    "--interactive": "a command's input is in the shared folder",
    "-i": "a command's input is in the shared folder",
    "--tty": "there is no terminal on an executor", "-t": "there is no terminal on an executor",
    "-it": "there is no terminal on an executor", "-ti": "there is no terminal on an executor",
    "--attach": "data goes through the shared folder",
    "-a": "data goes through the shared folder",
    "--cidfile": "find containers by the label lofn=1",
    "--pull": "an image that a node lacks is pulled",
    "--publish": "several containers run on one node and cannot share a port",
    "--env-file": "its file would have to be on every node; give -e NAME=value",
    "--platform": "push the image for the nodes' platform",
}  # fmt: skip

Setter = Callable[[dict[str, Any], str], None]


def parse(options: Sequence[str] | None) -> dict[str, Any]:
    """Return the create request, ``HostConfig`` included, that the options stand for.

    Options are as on the command line, in any spelling `docker run` takes: "--memory=1g",
    "--memory", "1g" as two items, or "-m 1g" in one. Raises UsageError that names the option and
    the nearest right one.
    """
    body: dict[str, Any] = {"HostConfig": {}}
    if options is None:
        return body
    if isinstance(options, str) or not isinstance(options, (list, tuple)):
        raise UsageError(f"docker_options must be a list such as ['--memory=1g'], not {options!r}")
    words = list(_words(options))
    while words:
        name, value = _name(words.pop(0))
        if name in _FLAGS:
            _FLAGS[name](body, value or "true")
        elif name in _VALUES:
            if value is None:
                if not words:
                    raise UsageError(f"docker option {name} needs a value")
                value = words.pop(0)
            _set(name, body, value)
        else:
            raise _unknown(name)
    return body


def _words(options: Sequence[str]) -> Iterator[str]:
    for option in options:
        if not isinstance(option, str):
            raise UsageError(f"docker option {option!r} must be text")
        # "-m 1g" in one item is what a host shell used to split.
        yield from shlex.split(option) if option.startswith("-") else [option]


def _name(word: str) -> tuple[str, str | None]:
    if not word.startswith("-"):
        raise UsageError(f"docker option {word!r} does not start with a dash")
    if word.startswith("--"):
        name, found, value = word.partition("=")
        return _SHORT.get(name, name), value if found else None
    if len(word) > 2 and word not in _REFUSED:  # -m1g
        return _SHORT.get(word[:2], word[:2]), word[2:].lstrip("=")
    return _SHORT.get(word, word), None


def _set(name: str, body: dict[str, Any], value: str) -> None:
    try:
        _VALUES[name](body, value)
    except (ValueError, KeyError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"docker option {name}={value} has a value Docker does not take") from None


def _unknown(name: str) -> UsageError:
    if name in _REFUSED:
        return UsageError(f"docker option {name} has no place here: {_REFUSED[name]}")
    known = [*_VALUES, *_FLAGS]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "known are " + ", ".join(sorted(known))
    return UsageError(f"docker option {name} is unknown to the engine: {hint}")


# -- setters -----------------------------------------------------------------------------------


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?", text.lower())
    if not found:
        raise ValueError(text)
    return int(float(found[1]) * _UNITS[found[2]])


def _true(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def _host(key: str, convert: Callable[[str], Any] = str) -> Setter:
    def put(body: dict[str, Any], value: str) -> None:
        body["HostConfig"][key] = convert(value)

    return put


def _hosts(key: str, convert: Callable[[str], Any] = str) -> Setter:
    def put(body: dict[str, Any], value: str) -> None:
        body["HostConfig"].setdefault(key, []).append(convert(value))

    return put


def _own(key: str, convert: Callable[[str], Any] = str) -> Setter:
    def put(body: dict[str, Any], value: str) -> None:
        body[key] = convert(value)

    return put


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not name or not found:
        raise ValueError(text)
    return name, value


def _host_pair(key: str) -> Setter:
    def put(body: dict[str, Any], value: str) -> None:
        name, setting = _pair(value)
        body["HostConfig"].setdefault(key, {})[name] = setting

    return put


def _env(body: dict[str, Any], value: str) -> None:
    if "=" not in value:
        raise UsageError(f"docker option --env {value} needs its value here: --env {value}=...")
    body.setdefault("Env", []).append(value)


def _label(body: dict[str, Any], value: str) -> None:
    name, _, setting = value.partition("=")
    if name == "lofn" or name.startswith("lofn."):
        raise UsageError(f"docker option --label {value}: labels lofn... are the engine's own")
    body.setdefault("Labels", {})[name] = setting


def _volume(body: dict[str, Any], value: str) -> None:
    source, target, *mode = value.split(":")
    if not (source.startswith("/") and target.startswith("/")) or mode not in ([], ["ro"], ["rw"]):
        raise UsageError(
            f"docker option --volume {value}: write /folder/on/the/node:/folder/inside[:ro], or "
            "use volumes="
        )
    mount = {"Type": "bind", "Source": source, "Target": target, "ReadOnly": mode == ["ro"]}
    body["HostConfig"].setdefault("Mounts", []).append(mount)


def _mount(body: dict[str, Any], value: str) -> None:
    parts = dict(part.partition("=")[::2] for part in value.split(","))
    target = parts.get("target") or parts.get("dst") or parts.get("destination")
    if parts.get("type") not in ("bind", "tmpfs", "volume") or not target:
        raise UsageError(f"docker option --mount {value}: it needs type=bind|tmpfs|volume, target=")
    mount: dict[str, Any] = {"Type": parts["type"], "Target": target}
    source = parts.get("source") or parts.get("src")
    if source:
        mount["Source"] = source
    mount["ReadOnly"] = "readonly" in parts or "ro" in parts
    if "tmpfs-size" in parts:
        mount["TmpfsOptions"] = {"SizeBytes": _size(parts["tmpfs-size"])}
    body["HostConfig"].setdefault("Mounts", []).append(mount)


def _tmpfs(body: dict[str, Any], value: str) -> None:
    path, _, settings = value.partition(":")
    body["HostConfig"].setdefault("Tmpfs", {})[path] = settings


def _ulimit(text: str) -> dict[str, Any]:
    name, value = _pair(text)
    soft, _, hard = value.partition(":")
    return {"Name": name, "Soft": int(soft), "Hard": int(hard or soft)}


def _device(text: str) -> dict[str, str]:
    host, _, rest = text.partition(":")
    inside, _, access = rest.partition(":")
    return {
        "PathOnHost": host,
        "PathInContainer": inside or host,
        "CgroupPermissions": access or "rwm",
    }


def _gpus(body: dict[str, Any], value: str) -> None:
    request: dict[str, Any] = {"Driver": "", "Capabilities": [["gpu"]]}
    if value == "all":
        request["Count"] = -1
    elif value.startswith("device="):
        request["DeviceIDs"] = value[len("device=") :].split(",")
    else:
        request["Count"] = int(value)
    body["HostConfig"].setdefault("DeviceRequests", []).append(request)


def _log(key: str) -> Setter:
    def put(body: dict[str, Any], value: str) -> None:
        log = body["HostConfig"].setdefault("LogConfig", {"Type": "json-file", "Config": {}})
        if key == "Type":
            log["Type"] = value
        else:
            name, setting = _pair(value)
            log["Config"][name] = setting

    return put


_VALUES: dict[str, Setter] = {
    "--add-host": _hosts("ExtraHosts"),
    "--blkio-weight": _host("BlkioWeight", int),
    "--cap-add": _hosts("CapAdd"),
    "--cap-drop": _hosts("CapDrop"),
    "--cgroup-parent": _host("CgroupParent"),
    "--cgroupns": _host("CgroupnsMode"),
    "--cpu-period": _host("CpuPeriod", int),
    "--cpu-quota": _host("CpuQuota", int),
    "--cpu-shares": _host("CpuShares", int),
    "--cpus": _host("NanoCpus", lambda text: int(float(text) * 1e9)),
    "--cpuset-cpus": _host("CpusetCpus"),
    "--cpuset-mems": _host("CpusetMems"),
    "--device": _hosts("Devices", _device),
    "--dns": _hosts("Dns"),
    "--dns-option": _hosts("DnsOptions"),
    "--dns-search": _hosts("DnsSearch"),
    "--domainname": _own("Domainname"),
    "--env": _env,
    "--gpus": _gpus,
    "--group-add": _hosts("GroupAdd"),
    "--hostname": _own("Hostname"),
    "--ipc": _host("IpcMode"),
    "--isolation": _host("Isolation"),
    "--kernel-memory": _host("KernelMemory", _size),
    "--label": _label,
    "--log-driver": _log("Type"),
    "--log-opt": _log("Config"),
    "--mac-address": _own("MacAddress"),
    "--memory": _host("Memory", _size),
    "--memory-reservation": _host("MemoryReservation", _size),
    "--memory-swap": _host("MemorySwap", lambda text: -1 if text == "-1" else _size(text)),
    "--memory-swappiness": _host("MemorySwappiness", int),
    "--mount": _mount,
    "--network": _host("NetworkMode"),
    "--oom-score-adj": _host("OomScoreAdj", int),
    "--pid": _host("PidMode"),
    "--pids-limit": _host("PidsLimit", int),
    "--runtime": _host("Runtime"),
    "--security-opt": _hosts("SecurityOpt"),
    "--shm-size": _host("ShmSize", _size),
    "--stop-signal": _own("StopSignal"),
    "--stop-timeout": _own("StopTimeout", int),
    "--storage-opt": _host_pair("StorageOpt"),
    "--sysctl": _host_pair("Sysctls"),
    "--tmpfs": _tmpfs,
    "--ulimit": _hosts("Ulimits", _ulimit),
    "--user": _own("User"),
    "--userns": _host("UsernsMode"),
    "--uts": _host("UTSMode"),
    "--volume": _volume,
    "--volumes-from": _hosts("VolumesFrom"),
    "--workdir": _own("WorkingDir"),
}

_FLAGS: dict[str, Setter] = {
    "--init": _host("Init", _true),
    "--no-healthcheck": lambda body, _value: None,  # the engine's containers have none
    "--oom-kill-disable": _host("OomKillDisable", _true),
    "--privileged": _host("Privileged", _true),
    "--read-only": _host("ReadonlyRootfs", _true),
    "--rm": lambda body, _value: None,  # every container is removed
}
