"""A step's name: its title, and the id of the run that sent it (pure)."""

from __future__ import annotations

# Source: EMR API reference, StepConfig.Name.
NAME_LIMIT = 256
_RUN = " [run "


def name_of(title: str, run_id: str) -> str:
    """Return a name of EMR's length that carries the run id, by which a step is found again."""
    suffix = f"{_RUN}{run_id}]"
    return title[: NAME_LIMIT - len(suffix)] + suffix


def title_of(name: str) -> str:
    """Return a step's name without its run id."""
    return name.partition(_RUN)[0]
