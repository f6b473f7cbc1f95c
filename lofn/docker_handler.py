"""The earlier lofn's name for a failed container, kept so that scripts can import and catch it."""

from __future__ import annotations


class DockerFailure(Exception):
    """A container, or Docker itself, failed; `lofn.errors` has the kinds there are."""
