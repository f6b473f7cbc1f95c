"""Who may reach what."""

from dataclasses import dataclass

SSH_PORT = 22


@dataclass(frozen=True)
class IngressRule:
    """One range of addresses that may reach a range of TCP ports."""

    cidr: str
    from_port: int
    to_port: int
    description: str

    @property
    def opens_ssh(self) -> bool:
        """Whether the rule lets its addresses reach port 22."""
        return self.from_port <= SSH_PORT <= self.to_port
