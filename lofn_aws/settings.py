"""The table of settings: name, meaning, default and how a value of each is read.

Every setting can be given in ``lofn-aws.toml`` under its own name and in the environment as
``LOFN_AWS_`` and its name in capitals; the commonest ones are flags too.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Reader = Callable[[object], Any]


@dataclass(frozen=True)
class Setting:
    """One setting.

    ``read`` turns what was written (a string from the environment or a flag, any TOML value
    from a file) into the value used; it raises ValueError with the end of a sentence that
    says what the value must be. ``in_file`` is False for what may not stand in a file.
    """

    name: str
    help: str
    default: object
    read: Reader
    group: str
    in_file: bool = True


def text(value: object) -> str:
    """Read a string that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    return value.strip()


def flag(value: object) -> bool:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if str(value).lower() not in words:
        raise ValueError("must be true or false")
    return words[str(value).lower()]


def whole(lowest: int, highest: int) -> Reader:
    """Return a reader of whole numbers from ``lowest`` to ``highest``."""

    def read(value: object) -> int:
        wrong = f"must be a whole number from {lowest} to {highest}"
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise ValueError(wrong)
        try:
            number = int(value)
        except ValueError:
            raise ValueError(wrong) from None
        if not lowest <= number <= highest:
            raise ValueError(wrong)
        return number

    return read


def seconds(value: object) -> int:
    """Read a duration: seconds as a number, or a number with s, m, h or d."""
    match = re.fullmatch(r"(\d+)\s*([smhd]?)", str(value).strip().lower())
    if isinstance(value, bool) or not match:
        raise ValueError("must be a duration such as 90s, 30m, 1h or 2d")
    return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def idle(value: object) -> int:
    """Read the idle time after which EMR ends the cluster: 0 (never) or EMR's 60 s to 7 days.

    Source: EMR's AutoTerminationPolicy takes an IdleTimeout of 60 to 604,800 seconds.
    """
    duration = seconds(value)
    if duration and not 60 <= duration <= 604_800:
        raise ValueError("must be 0 (never) or from 60s to 7d")
    return duration


def name(value: object) -> str:
    """Read a cluster's name: letters, digits, dots, dashes and underscores, at most 64."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", value):
        raise ValueError("must be up to 64 letters, digits, dots, dashes and underscores")
    return value


def bucket(value: object) -> str:
    """Read an S3 bucket's name (S3's own rules, less the dots that break TLS host names)."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", value):
        raise ValueError("must be a bucket name: 3 to 63 lower-case letters, digits and dashes")
    return value


def ingress(value: object) -> str:
    """Read who may reach port 22 of the primary: auto, none, or a CIDR other than everyone."""
    if value in {"auto", "none"}:
        return str(value)
    try:
        network = ipaddress.ip_network(str(value))
    except ValueError:
        raise ValueError("must be auto, none or a CIDR such as 203.0.113.7/32") from None
    if network.prefixlen == 0:
        raise ValueError("must not open SSH to the whole internet")
    return str(network)


SETTINGS: tuple[Setting, ...] = (
    Setting("cluster_name", "Name of the cluster.", "lofn", name, "Cluster"),
    Setting("owner", "Who the cluster belongs to (a tag; default: your user name).", None, name,
            "Cluster"),
    Setting("release_label", "EMR release, passed on as it is.", "emr-7.13.0", text, "Cluster"),
    Setting("primary_type", "Instance type of the primary node.", "m5.xlarge", text, "Cluster"),
    Setting("core_type", "Instance type of core nodes.", "m5.xlarge", text, "Cluster"),
    Setting("core_count", "Number of core nodes.", 2, whole(0, 1000), "Cluster"),
    Setting("task_type", "Instance type of task nodes.", "m5.xlarge", text, "Cluster"),
    Setting("task_count", "Number of task nodes.", 0, whole(0, 1000), "Cluster"),
    Setting("root_volume_gib", "Root disk of each node in GiB; images live there.", 50,
            whole(15, 100), "Cluster"),
    Setting("idle_timeout", "End the cluster after this long without work; 0: never.", 3600,
            idle, "Cluster"),
    Setting("step_concurrency", "Steps that may run at the same time.", 1, whole(1, 256),
            "Cluster"),
    Setting("termination_protected", "Refuse to end the cluster until this is taken back.",
            False, flag, "Cluster"),
    Setting("region", "AWS region.", None, text, "AWS"),
    Setting("profile", "AWS profile, or a [profiles.NAME] table of this file.", None, text,
            "AWS"),
    Setting("endpoint_url", "Where the AWS API is, when it is not AWS itself.", None, text,
            "AWS"),
    Setting("bucket", "S3 bucket for assets, logs and images "
            "(default: lofn-aws-<account>-<region>).", None, bucket, "AWS"),
    Setting("service_role", "EMR's service role.", "EMR_DefaultRole", text, "AWS"),
    Setting("instance_profile", "Instance profile of the nodes.", "EMR_EC2_DefaultRole", text,
            "AWS"),
    Setting("subnet", "Subnet of the nodes (default: one of the default VPC).", None, text,
            "AWS"),
    Setting("key_name", "EC2 key pair to log in with (default: made by up, once).", None, text,
            "SSH"),
    Setting("key_file", "Private key file of that key pair.", None, text, "SSH"),
    Setting("ssh_ingress", "Who may reach SSH on the primary: auto (this machine's public "
            "address), a CIDR, or none.", "auto", ingress, "SSH"),
    Setting("registry_image", "Image of the registry that runs on every node.", "registry:2",
            text, "Images"),
    Setting("sandbox", "Use the EMR on this machine instead of AWS.", False, flag, "Sandbox"),
    Setting("sandbox_name", "Which sandbox of this machine.", "default", name, "Sandbox"),
    Setting("access_key", "Access key, given by the sandbox.", None, text, "Sandbox", False),
    Setting("secret_key", "Secret key, given by the sandbox.", None, text, "Sandbox", False),
)

BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}
