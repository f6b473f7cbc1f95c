"""Docker's messages while it pushes or pulls, as JSON or as plain lines -> layers and digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_ENDED = ("Pushed", "Layer already exists", "Mounted from")
_DIGEST = re.compile(r"^(?:Digest:|.*\bdigest:)\s*(sha256:[0-9a-f]{64})", re.MULTILINE)


@dataclass(frozen=True)
class Layer:
    """One layer under way: its state in Docker's words, and bytes (0 where Docker says none)."""

    state: str
    done: int = 0
    total: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to this layer."""
        return self.state.startswith(_ENDED)

    @property
    def was_sent(self) -> bool:
        """Whether the registry lacked it."""
        return self.state == "Pushed"


@dataclass(frozen=True)
class PushProgress:
    """How far a push is: its layers by short id, and at its end the digest or the error."""

    layers: Mapping[str, Layer] = field(default_factory=dict)
    digest: str = ""
    error: str = ""

    def after(self, message: Mapping[str, Any]) -> PushProgress:
        """This progress with one more message of Docker's push stream taken in."""
        if "error" in message or "errorDetail" in message:
            detail = message.get("errorDetail") or {}
            return replace(self, error=str(detail.get("message") or message.get("error")))
        aux = message.get("aux")
        if isinstance(aux, Mapping) and aux.get("Digest"):
            return replace(self, digest=str(aux["Digest"]))
        layer, state = message.get("id"), str(message.get("status", ""))
        # Besides layers, the stream has "The push refers to ..." and "tag: digest: ... size: ...".
        if not layer or "progressDetail" not in message:
            return self
        before = self.layers.get(layer, Layer(""))
        detail = message.get("progressDetail") or {}
        now = Layer(
            state,
            int(detail.get("current") or before.done),
            int(detail.get("total") or before.total),
        )
        return replace(self, layers={**self.layers, layer: now})

    @property
    def sent(self) -> list[Layer]:
        """The layers that were sent, because the registry lacked them."""
        return [layer for layer in self.layers.values() if layer.was_sent]

    @property
    def kept(self) -> list[Layer]:
        """The layers that the registry had already."""
        return [layer for layer in self.layers.values() if layer.ended and not layer.was_sent]


def digest_of(output: str) -> str:
    """The digest that ``docker push`` or ``docker pull`` prints at its end; empty if none."""
    found = _DIGEST.search(output)
    return found.group(1) if found else ""


def pull_error(output: str) -> str:
    """The reason in the output of a failed ``docker pull``: its last line that says one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if line.lower().startswith("error")]
    return (told or lines or ["no output"])[-1]
