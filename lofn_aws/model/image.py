"""Names of images: what a person types, and where it lands in the cluster's registry (pure)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from lofn_aws.errors import UsageError

# The name that scripts on the cluster use: every node has the registry at this address.
CLUSTER_REGISTRY = "localhost:5000"

# https://github.com/distribution/reference: path components and tags.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


@dataclass(frozen=True)
class ImageName:
    """A repository and a tag, without the registry they came from."""

    repository: str
    tag: str = "latest"

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"

    @property
    def on_cluster(self) -> str:
        """What scripts name, such as ``localhost:5000/tools/gsnap:1``."""
        return self.at(CLUSTER_REGISTRY)

    def at(self, registry: str) -> str:
        """The name in the registry at that address."""
        return f"{registry}/{self}"


@dataclass(frozen=True)
class LocalImage:
    """An image of the local engine: its id, its names, and its unpacked size in bytes."""

    id: str
    names: tuple[str, ...]
    size: int
    platform: str


def parse_image(text: str) -> ImageName:
    """Read ``[REGISTRY/]REPOSITORY[:TAG]``; the registry is left out of the result.

    Raises UsageError for a digest and for what Docker would refuse, saying which part.
    """
    if "@" in text:
        raise UsageError(
            f"{text!r} names an image by its digest, and a pushed image needs a name and a tag",
            f"docker tag {text} NAME:TAG",
        )
    path = _without_registry(text)
    repository, colon, tag = path.rpartition(":") if ":" in path else (path, "", "latest")
    if not _REPOSITORY.fullmatch(repository):
        raise UsageError(
            f"{text!r} is not an image's name: {repository!r} may have small letters and digits, "
            "with single dots, underscores, hyphens and slashes between them"
        )
    if colon and not _TAG.fullmatch(tag):
        raise UsageError(f"{text!r} has no valid tag: {tag!r}")
    return ImageName(repository, tag)


def _without_registry(text: str) -> str:
    first, slash, rest = text.partition("/")
    # Docker's own rule: the first part is a host when it has a dot or a port, or is localhost.
    is_registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return rest if is_registry else text


def nearest_names(wanted: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known image names that look most like ``wanted``, best first."""
    names = sorted(set(known))
    close = difflib.get_close_matches(wanted, names, n=limit, cutoff=0.5)
    bare = wanted.rpartition(":")[0] or wanted
    same = [name for name in names if bare and bare.split("/")[-1] in name]
    return list(dict.fromkeys([*close, *same]))[:limit]


@dataclass(frozen=True)
class NodePull:
    """What one node's pull came to: seconds it took, and why it failed (empty if it did not)."""

    node: str
    seconds: float
    problem: str = ""


@dataclass(frozen=True)
class Pushed:
    """An image in the cluster's registry: the name for scripts, and what it took to get there.

    ``layers_sent`` and ``layers_kept`` count layers; both are 0 where the image went as a whole.
    """

    name: str
    digest: str
    layers_sent: int
    layers_kept: int
    seconds: float
    nodes: tuple[NodePull, ...] = ()
