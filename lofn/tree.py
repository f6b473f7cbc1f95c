"""Which partials are reduced with which: the levels of an order-preserving reduce tree (pure)."""

from __future__ import annotations


def levels(n: int, fan_in: int) -> list[list[tuple[int, ...]]]:
    """Plan how ``n`` partials become one, at most ``fan_in`` at a time, in their order.

    Each level is a list of groups of neighbouring indexes into the level before it; group ``i``
    becomes partial ``i`` of the next level. A group of one is carried over and starts nothing.
    The tree is as shallow as any (``ceil(log_fan_in(n))`` levels) and starts as few commands as
    any (``ceil((n - 1) / (fan_in - 1))``): the first level merges only what is too many for the
    full levels above it, so no partial passes through a command more often than it must.

    Returns no level at all for ``n`` of 0 or 1. Raises ValueError for a negative ``n`` or a
    ``fan_in`` below 2.
    """
    if n < 0:
        raise ValueError(f"a reduce tree cannot have {n} partials")
    if fan_in < 2:
        raise ValueError(f"fan_in must be 2 or more, not {fan_in}: a command merges at least two")
    plan = []
    while n > 1:
        groups = _first_level(n, fan_in)
        plan.append(groups)
        n = len(groups)
    return plan


def _first_level(n: int, fan_in: int) -> list[tuple[int, ...]]:
    """Merge ``n`` partials down to the largest power of ``fan_in`` below ``n``."""
    target = 1
    while target * fan_in < n:
        target *= fan_in
    surplus = n - target
    merges = -(-surplus // (fan_in - 1))
    share, extra = divmod(surplus, merges)
    sizes = [1 + share + (i < extra) for i in range(merges)]
    sizes += [1] * (n - sum(sizes))
    groups, start = [], 0
    for size in sizes:
        groups.append(tuple(range(start, start + size)))
        start += size
    return groups
