"""Counters of what containers cost and moved: summed in tasks, added up on the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.accumulators import Accumulator

NAMES = (
    "partitions",
    "containers_started",
    "containers_reused",
    "bytes_in",
    "bytes_out",
    "seconds_waiting_for_docker",
    "seconds_in_container",
    "seconds_in_exchange",
)


class Tally:
    """The counters of one task."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def add(self, **counts: float) -> None:
        """Add to counters by name."""
        for name, count in counts.items():
            self.values[name] = self.values.get(name, 0) + count


class Counters:
    """The driver's sums. Tasks add their tally when they are through; failed ones are not sent."""

    def __init__(self) -> None:
        self._accumulators: list[Accumulator[dict[str, float]]] = []
        self._contexts: list[SparkContext] = []

    def accumulator(self, context: SparkContext) -> Accumulator[dict[str, float]]:
        """Return the accumulator to send to tasks of ``context``."""
        for known, accumulator in zip(self._contexts, self._accumulators):
            if known is context:
                return accumulator
        made = context.accumulator({}, _param())
        self._contexts.append(context)
        self._accumulators.append(made)
        return made

    def totals(self) -> dict[str, float]:
        """Return all counters, in the order of NAMES; seconds are summed over tasks."""
        sums: dict[str, float] = dict.fromkeys(NAMES, 0)
        for accumulator in self._accumulators:
            for name, value in accumulator.value.items():
                sums[name] = sums.get(name, 0) + value
        return sums

    def report(self) -> str:
        """Return the counters as lines for people."""
        lines = []
        for name, value in self.totals().items():
            shown = f"{value:.1f}" if name.startswith("seconds") else f"{int(value):,}"
            lines.append(f"{name.replace('_', ' '):<28}{shown:>16}")
        return "\n".join(lines)


def _param() -> Any:
    from pyspark.accumulators import AccumulatorParam

    class _Sums(AccumulatorParam):  # type: ignore[type-arg]
        def zero(self, value: dict[str, float]) -> dict[str, float]:
            return {}

        def addInPlace(
            self, value1: dict[str, float], value2: dict[str, float]
        ) -> dict[str, float]:
            for name, count in value2.items():
                value1[name] = value1.get(name, 0) + count
            return value1

    return _Sums()


def send(tally: Tally, accumulator: Any | None) -> None:
    """Add a task's tally to the driver's accumulator; without one, do nothing."""
    if accumulator is not None and tally.values:
        accumulator.add(dict(tally.values))
