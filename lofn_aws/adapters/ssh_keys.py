"""Pinned host keys: only a key that the node itself published is accepted, none on first use."""

from __future__ import annotations

import base64
import binascii

import paramiko

# Tried in this order: the first pinned type is the one asked of the server.
_KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ssh-rsa")


class UnknownHostKey(paramiko.SSHException):
    """The host showed a key, and none was published for it."""


class RefuseUnknown(paramiko.MissingHostKeyPolicy):
    """Paramiko's policy for a host without a pinned key: refuse, and say so."""

    def missing_host_key(
        self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> None:
        """Raise UnknownHostKey; nothing is ever added to the pinned keys here."""
        raise UnknownHostKey(
            f"{hostname} showed the host key {key.get_name()} {key.fingerprint}, "
            "and no key was published for it"
        )


def parse_host_keys(lines: str) -> dict[str, paramiko.PKey]:
    """Read the lines of one or more ``ssh_host_*_key.pub`` files: key type -> key.

    Blank lines, comments and key types that are not known here (DSA, say) are left out.
    The result's order is the order of preference. Raises ValueError for a damaged key.
    """
    found: dict[str, paramiko.PKey] = {}
    for line in lines.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] not in _KEY_TYPES:
            continue
        try:
            blob = base64.b64decode(words[1], validate=True)
            found[words[0]] = paramiko.PKey.from_type_string(words[0], blob)
        except (binascii.Error, ValueError, paramiko.SSHException) as error:
            raise ValueError(f"not an SSH public key: {line.strip()[:60]!r} ({error})") from error
    return {kind: found[kind] for kind in _KEY_TYPES if kind in found}


def pin(client: paramiko.SSHClient, host: str, port: int, lines: str | None) -> None:
    """Let ``client`` accept exactly the keys in ``lines`` for ``host``; none when None."""
    client.set_missing_host_key_policy(RefuseUnknown())
    # Paramiko, like OpenSSH, names a host on another port than 22 "[host]:port".
    name = host if port == 22 else f"[{host}]:{port}"
    for kind, key in parse_host_keys(lines or "").items():
        client.get_host_keys().add(name, kind, key)
