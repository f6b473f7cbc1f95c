"""The EMR releases that the sandbox's node image has the software of."""

from __future__ import annotations

from typing import NamedTuple


class Release(NamedTuple):
    """A release label with the applications that the sandbox installs for it."""

    label: str
    applications: dict[str, str]
    os_release: str


# Versions as listed by AWS's release guide for emr-7.13.0 (Spark 3.5.6, Hadoop 3.4.2).
RELEASES = {
    "emr-7.13.0": Release("emr-7.13.0", {"Hadoop": "3.4.2", "Spark": "3.5.6"}, "2023.9.20251020.0"),
}
