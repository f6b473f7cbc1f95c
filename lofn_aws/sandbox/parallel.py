"""One thing done for many items at the same time, with every outcome known before any is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def outcomes(
    items: Iterable[Item], action: Callable[[Item], Result]
) -> list[tuple[Item, Result | Exception]]:
    """Run ``action`` on every item at once.

    Returns:
        Pairs of an item and its result, or the exception that it ended with, in the items' order.
    """

    def attempt(item: Item) -> Result | Exception:
        try:
            return action(item)
        except Exception as error:
            return error

    listed = list(items)
    if not listed:
        return []
    with ThreadPoolExecutor(max_workers=len(listed)) as pool:
        return list(zip(listed, pool.map(attempt, listed), strict=True))


def on_all(items: Iterable[Item], action: Callable[[Item], Result]) -> list[Result]:
    """Run ``action`` on every item at once and return the results in order.

    Raises:
        Exception: the first failure in the items' order, after all have ended.
    """
    results: list[Result] = []
    for _, outcome in outcomes(items, action):
        if isinstance(outcome, Exception):
            raise outcome
        results.append(outcome)
    return results
