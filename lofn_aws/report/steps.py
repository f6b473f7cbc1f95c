"""Steps as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lofn_aws.model.step import Step, StepCancel
from lofn_aws.model.step_name import title_of


def steps_text(steps: Sequence[Step]) -> str:
    """Return one line for each step: id, state, when it began, how long it took, its title."""
    if not steps:
        return "no steps yet"
    rows = [
        (step.id, step.state, _time(step.started or step.created), _took(step), title_of(step.name))
        for step in steps
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]])
        for row in rows
    )


def cancels_text(answers: Sequence[StepCancel]) -> str:
    """Return one line for each step that was asked to end."""
    return "\n".join(f"{answer.id}  {answer.status}" for answer in answers)


def _time(moment: datetime | None) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else "-"


def _took(step: Step) -> str:
    if step.started is None or step.ended is None:
        return "-"
    return f"{(step.ended - step.started).total_seconds():.0f} s"
