"""Pages of lists: a marker is the offset of the next page, which a caller need not understand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lofn_aws.sandbox.faults import invalid

# EMR lists at most so many clusters, steps and so on in one answer.
PAGE = 50


def page(
    items: Sequence[Any], marker: str | None, size: int = PAGE
) -> tuple[Sequence[Any], str | None]:
    """Return one page and the marker of the next, or None at the end.

    Raises:
        Fault: the marker is not one that this service gave.
    """
    try:
        start = int(marker) if marker else 0
    except ValueError:
        raise invalid(f"Marker '{marker}' is not valid.") from None
    end = start + size
    return items[start:end], str(end) if end < len(items) else None
