"""The private key that `up` logs in with: made once, kept in the user's own folder."""

import hashlib
import os
from pathlib import Path

import paramiko

from lofn_aws.errors import UsageError

# EC2 takes RSA keys of 1024, 2048 and 4096 bits (ImportKeyPair, EC2 user guide).
KEY_BITS = 2048


def public_key(path: Path) -> str:
    """Return the public half of a private RSA key file, as one OpenSSH line.

    Raises UsageError for a file that is not a private RSA key without a passphrase.
    """
    try:
        key = paramiko.RSAKey.from_private_key_file(str(path))
    except (OSError, paramiko.SSHException, ValueError) as error:
        raise UsageError(
            f"{path} is not a private RSA key without a passphrase: {error}",
            f"rm {path}  (up makes a new one)",
        ) from None
    return f"ssh-rsa {key.get_base64()} lofn-aws"


def make_key(path: Path) -> None:
    """Make a private key file that its owner alone can read; one that is there is kept."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as stream:
            paramiko.RSAKey.generate(KEY_BITS).write_private_key(stream)
        # A link is made whole or not at all, and never over another run's key.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def key_name(public: str) -> str:
    """Return the name in EC2 of a key that `up` made: it names the key's content."""
    return f"lofn-aws-{hashlib.sha256(public.split()[1].encode()).hexdigest()[:12]}"
