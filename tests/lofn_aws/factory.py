"""Settings and specs for tests: the defaults, with what the test cares about changed."""

from pathlib import Path
from typing import Any

from lofn_aws.config import Settings, load_settings
from lofn_aws.model.spec import Asset, ClusterSpec, KeyPair


def settings(**flags: Any) -> Settings:
    """Return the default settings of a user called ada, with some values changed."""
    return load_settings({"owner": "ada", "region": "eu-north-1", **flags}, {}, Path("/nowhere"))


def spec(**flags: Any) -> ClusterSpec:
    """Return the wanted cluster of these settings, with fixed ids and hashes."""
    names = {
        "bootstrap": "lofn-bootstrap.sh",
        "node-script": "lofn-node.sh",
        "wheel": "lofn-0.1.0-py3-none-any.whl",
        "probe": "probe.py",
    }
    return ClusterSpec(
        settings=settings(**flags),
        account="123456789012",
        region="eu-north-1",
        bucket="lofn-aws-123456789012-eu-north-1",
        run_id="0123456789ab",
        assets=tuple(
            Asset(kind, f"assets/{index:016x}/{name}", b"x")  # type: ignore[arg-type]
            for index, (kind, name) in enumerate(names.items(), 1)
        ),
        key_pair=KeyPair("lofn-aws-0123456789ab", "/home/ada/key.pem", "ssh-rsa AAAA ada"),
    )
