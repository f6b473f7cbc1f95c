"""What `up` wants: the cluster of the settings, and the files its nodes download."""

import importlib.util
import re
import uuid
from pathlib import Path

from lofn_aws.adapters.key_file import key_name, make_key, public_key
from lofn_aws.assets import asset_dir
from lofn_aws.errors import UsageError
from lofn_aws.model.spec import Asset, ClusterSpec, KeyPair
from lofn_aws.plan.wheel import build_wheel, content_key
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.locate import own_key


def wanted_cluster(ctx: Context) -> ClusterSpec:
    """Return the wanted cluster under a new run id.

    Makes this user's private key, once, unless the person named a key pair or this is a dry run.
    """
    return ClusterSpec(
        settings=ctx.settings,
        account=ctx.iam.account,
        region=ctx.region,
        bucket=ctx.bucket,
        run_id=uuid.uuid4().hex[:12],
        assets=node_assets(),
        key_pair=_key_pair(ctx),
    )


def _key_pair(ctx: Context) -> KeyPair:
    s = ctx.settings
    if s.key_name or s.key_file:
        if not (s.key_name and s.key_file):
            given, missing = ("key_name", "key_file") if s.key_name else ("key_file", "key_name")
            raise UsageError(f"{given} is set and {missing} is not", "lofn-aws config")
        if not Path(s.key_file).expanduser().is_file():
            raise UsageError(f"the key file {s.key_file} (setting key_file) is not there",
                             "lofn-aws config")
        return KeyPair(s.key_name, s.key_file)
    path = own_key(ctx)
    if not path.exists():
        if ctx.dry_run:
            return KeyPair("lofn-aws-<new>", str(path), "made by up")
        make_key(path)
        ctx.reporter.note(f"made the private key {path}")
    public = public_key(path)
    return KeyPair(key_name(public), str(path), public)


def node_assets() -> tuple[Asset, ...]:
    """Return the files that nodes download: bootstrap action, node script, engine, probe."""
    return (
        _file("bootstrap", asset_dir("bootstrap") / "lofn-bootstrap.sh"),
        _file("node-script", asset_dir("bootstrap") / "lofn-node.sh"),
        engine_wheel(),
        _file("probe", asset_dir("steps") / "probe.py"),
    )


def _file(kind: str, path: Path) -> Asset:
    data = path.read_bytes()
    return Asset(kind, content_key("assets", path.name, data), data)  # type: ignore[arg-type]


def engine_wheel() -> Asset:
    """Return a wheel of the engine as it is installed here; it is found, not imported."""
    found = importlib.util.find_spec("lofn")
    if found is None or not found.submodule_search_locations:
        raise UsageError("the engine, the package lofn, is not installed",
                         "pip install --force-reinstall lofn-aws")
    root = Path(next(iter(found.submodule_search_locations)))
    sources = {
        f"lofn/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    version = re.search(rb'^__version__ = "([^"]+)"', sources["lofn/__init__.py"], re.MULTILINE)
    name, data = build_wheel("lofn", version[1].decode() if version else "0", sources)
    return Asset("wheel", content_key("assets", name, data), data)
