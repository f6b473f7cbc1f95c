"""Where a copy ends up, and what is refused (pure)."""

from __future__ import annotations

from lofn_aws.errors import NotFoundError, UsageError
from lofn_aws.model.copy import Found
from lofn_aws.model.uris import HdfsUri, LocalPath, Location

# Hadoop's file commands read these as patterns.
_PATTERNS = frozenset("*?[]{}\\")


def check_pair(source: Location, target: Location) -> None:
    """Raise UsageError for what no copy of ours can be."""
    if isinstance(source, LocalPath) and isinstance(target, LocalPath):
        raise UsageError(
            f"{source} and {target} are both on this machine", f"cp -r {source} {target}"
        )
    if not source.name:
        raise UsageError(f"{source} is everything there is: name a file or folder in it")
    for place in (source, target):
        if isinstance(place, HdfsUri) and _PATTERNS & set(place.path):
            raise UsageError(
                f"{place} has one of the characters * ? [ ] {{ }} \\, which Hadoop's commands "
                "take for patterns: name one file or folder without them"
            )


def target_of(source: Location, target: Location, at_target: Found) -> Location:
    """Return the place that the copy itself gets.

    As with ``cp``: inside the target where that is a folder or is written with a slash at its
    end, else the target itself.
    """
    if at_target.kind == "folder" or target.says_folder:
        return target.child(source.name)
    return target


def check_copy(
    source: Location, at_source: Found, target: Location, at_target: Found, *, force: bool
) -> None:
    """Raise NotFoundError for a missing source, UsageError for a target that is in the way.

    With ``force``, files are replaced and folders merged, but never one by the other.
    """
    if at_source.kind is None:
        raise NotFoundError(f"there is no {source}")
    if at_source.kind == "folder" and not at_source.files and not isinstance(source, HdfsUri):
        raise UsageError(f"the folder {source} has no files to copy")
    if at_target.kind is None:
        return
    if at_source.kind != at_target.kind:
        raise UsageError(
            f"{source} is a {at_source.kind} and {target} is a {at_target.kind}: name another place"
        )
    if not force:
        raise UsageError(
            f"{target} is there already; -f "
            + ("replaces it" if at_source.kind == "file" else "replaces files of the same names"),
            f"lofn-aws cp -f {source} {target}",
        )
