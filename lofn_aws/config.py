"""Settings and where each came from: flag, environment, project file, user file, AWS's chain."""

import difflib
import getpass
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lofn_aws.errors import UsageError
from lofn_aws.settings import BY_NAME, SETTINGS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT_FILE = "lofn-aws.toml"
ENV_PREFIX = "LOFN_AWS_"
_FROM_SANDBOX_ALONE = ("endpoint_url", "access_key", "secret_key", "region")
_SANDBOX_DEFAULTS = ("registry_image", "ssh_ingress")


@dataclass(frozen=True)
class SandboxValues:
    """What a running sandbox tells the toolkit.

    Endpoint, keys and region are taken over all other origins; the other values stand behind
    them, as the sandbox's own defaults. Nobody but this machine reaches its nodes, so that
    there is no security group to open.
    """

    endpoint_url: str
    access_key: str
    secret_key: str
    region: str
    registry_image: str
    ssh_ingress: str = "none"


@dataclass(frozen=True)
class Settings:
    """Every setting, read and checked; ``origins`` maps each name to where its value is from.

    Durations are seconds, sizes GiB. What each means and its default: ``lofn_aws.settings``.
    """

    cluster_name: str
    owner: str
    release_label: str
    primary_type: str
    core_type: str
    core_count: int
    task_type: str
    task_count: int
    root_volume_gib: int
    idle_timeout: int
    step_concurrency: int
    termination_protected: bool
    region: str | None
    profile: str | None
    endpoint_url: str | None
    bucket: str | None
    service_role: str
    instance_profile: str
    subnet: str | None
    key_name: str | None
    key_file: str | None
    ssh_ingress: str
    registry_image: str
    sandbox: bool
    sandbox_name: str
    access_key: str | None
    secret_key: str | None
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def changed(self, **values: Any) -> "Settings":
        """Return a copy with some values changed (unknown names raise TypeError)."""
        return replace(self, **values)


@dataclass(frozen=True)
class _Layer:
    """Raw values of one origin, strongest first in the list of layers."""

    origin: str
    values: Mapping[str, object]


def user_dir(env: Mapping[str, str]) -> Path:
    """Return the user's configuration folder of this toolkit (not made here)."""
    base = env.get("XDG_CONFIG_HOME") or str(Path(env.get("HOME") or str(Path.home())) / ".config")
    return Path(base) / "lofn-aws"


def load_settings(
    flags: Mapping[str, object],
    env: Mapping[str, str],
    cwd: Path,
    *,
    config_file: Path | None = None,
    sandbox: SandboxValues | None = None,
    chain: Mapping[str, str] | None = None,
) -> Settings:
    """Read all origins and return the settings.

    ``flags`` holds only the flags that were given, ``chain`` what AWS's own chain answered
    (region). Raises UsageError that names file, key and the nearest right name.
    """
    files = _file_layers(env, cwd, config_file)
    layers = [
        _Layer("sandbox", _sandbox_values(sandbox, _FROM_SANDBOX_ALONE)),
        _Layer("flag", {k: v for k, v in flags.items() if v is not None}),
        _environment(env),
        *files,
    ]
    layers = _with_profile_table(layers, files, env, cwd, config_file)
    layers.append(_Layer("AWS's own chain", chain or {}))
    layers.append(_Layer("sandbox", _sandbox_values(sandbox, _SANDBOX_DEFAULTS)))
    return _resolve(layers)


def _sandbox_values(sandbox: SandboxValues | None, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(sandbox, name) for name in names} if sandbox is not None else {}


def _environment(env: Mapping[str, str]) -> _Layer:
    values = {
        s.name: env[ENV_PREFIX + s.name.upper()]
        for s in SETTINGS
        if s.in_file and env.get(ENV_PREFIX + s.name.upper())
    }
    return _Layer("environment", values)


def _paths(env: Mapping[str, str], cwd: Path, config_file: Path | None) -> list[Path]:
    if config_file is not None and not config_file.is_file():
        raise UsageError(f"there is no settings file {config_file}", "lofn-aws init")
    project = config_file or find_project_file(cwd)
    return [p for p in (project, user_dir(env) / "config.toml") if p is not None and p.is_file()]


def find_project_file(cwd: Path) -> Path | None:
    """Return the nearest lofn-aws.toml of ``cwd`` or a folder above it, or None."""
    for folder in (cwd, *cwd.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder / PROJECT_FILE
    return None


def _file_layers(env: Mapping[str, str], cwd: Path, config_file: Path | None) -> list[_Layer]:
    layers = []
    for path in _paths(env, cwd, config_file):
        content = {k: v for k, v in _read_toml(path).items() if k != "profiles"}
        _refuse_unknown(content, str(path))
        layers.append(_Layer(str(path), content))
    return layers


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}", _edit(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", f"ls -l {path}") from None


def _edit(path: Path) -> str:
    return f'"${{EDITOR:-vi}}" {path}'


def _refuse_unknown(content: Mapping[str, object], place: str) -> None:
    known = [s.name for s in SETTINGS if s.in_file]
    for key in content:
        if key in known:
            continue
        near = difflib.get_close_matches(key, [*known, "profiles"], n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"{place}: {key} is not a setting{hint}", "lofn-aws config")


def _with_profile_table(
    layers: list[_Layer],
    files: list[_Layer],
    env: Mapping[str, str],
    cwd: Path,
    config_file: Path | None,
) -> list[_Layer]:
    """Put the [profiles.NAME] table that the setting ``profile`` names above its own file."""
    chosen = next((la.values["profile"] for la in layers if "profile" in la.values), None)
    tables = {p: _read_toml(p).get("profiles", {}) for p in _paths(env, cwd, config_file)}
    for path, named in tables.items():
        if not isinstance(named, dict) or not all(isinstance(t, dict) for t in named.values()):
            raise UsageError(f"{path}: profiles must be tables, as in [profiles.sandbox]",
                             _edit(path))
        for name, table in named.items():
            _refuse_unknown(table, f"{path}, [profiles.{name}]")
        if chosen not in named:
            continue
        place = next(i for i, la in enumerate(layers) if la.origin == str(path))
        table = _Layer(f"{path}, [profiles.{chosen}]", named[chosen])
        # The name chose a table, so it is not an AWS profile as well, unless the table has one.
        kept = [_Layer(la.origin, {k: v for k, v in la.values.items() if k != "profile"})
                for la in layers]
        return [*kept[:place], table, *kept[place:]]
    return layers


def _resolve(layers: list[_Layer]) -> Settings:
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        values[setting.name], origins[setting.name] = setting.default, "default"
        for layer in layers:
            if setting.name in layer.values:
                values[setting.name] = _read(setting.name, layer)
                origins[setting.name] = layer.origin
                break
    if values["owner"] is None:
        values["owner"] = _user_name()
    if origins["endpoint_url"] == "sandbox":
        values["profile"], origins["profile"] = None, "sandbox"
    return Settings(**values, origins=origins)


def _read(name: str, layer: _Layer) -> Any:
    value = layer.values[name]
    try:
        return BY_NAME[name].read(value)
    except ValueError as error:
        place = f"{ENV_PREFIX}{name.upper()}" if layer.origin == "environment" else name
        raise UsageError(f"{layer.origin}: {place} = {value!r} {error}") from None


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "unknown"
