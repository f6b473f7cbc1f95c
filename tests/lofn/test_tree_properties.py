"""Reduce trees: any partitioning and any fan-in give what one process gives."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofn.tree import levels


def run_tree(partials: list[str], fan_in: int) -> tuple[list[str], int]:
    launches = 0
    for level in levels(len(partials), fan_in):
        launches += sum(len(group) > 1 for group in level)
        partials = ["".join(partials[i] for i in group) for group in level]
    return partials, launches


@given(st.lists(st.text(max_size=3), min_size=1, max_size=300), st.integers(2, 20))
def test_concatenation_over_any_tree_keeps_the_order(partials: list[str], fan_in: int) -> None:
    assert run_tree(partials, fan_in)[0] == ["".join(partials)]


@given(st.integers(1, 2000), st.integers(2, 40))
def test_tree_is_shallowest_and_cheapest(n: int, fan_in: int) -> None:
    plan = levels(n, fan_in)
    depth = 0
    while fan_in**depth < n:
        depth += 1
    assert len(plan) == depth
    assert run_tree(["x"] * n, fan_in)[1] == math.ceil((n - 1) / (fan_in - 1))


@given(st.integers(2, 500), st.integers(2, 20))
def test_each_level_takes_each_partial_once_and_no_group_is_too_wide(n: int, fan_in: int) -> None:
    width = n
    for level in levels(n, fan_in):
        assert [i for group in level for i in group] == list(range(width))
        assert all(1 <= len(group) <= fan_in for group in level)
        width = len(level)
    assert width == 1


def test_small_trees_as_a_person_would_draw_them() -> None:
    assert levels(0, 2) == []
    assert levels(1, 2) == []
    assert levels(3, 2) == [[(0, 1), (2,)], [(0, 1)]]
    assert levels(4, 8) == [[(0, 1, 2, 3)]]
    assert levels(9, 8) == [[(0, 1), (2,), (3,), (4,), (5,), (6,), (7,), (8,)], [tuple(range(8))]]


def test_impossible_trees_are_refused() -> None:
    with pytest.raises(ValueError, match="fan_in must be 2 or more, not 1"):
        levels(4, 1)
    with pytest.raises(ValueError, match="-1 partials"):
        levels(-1, 2)
