"""One SSH connection: pinned host keys, a deadline, and one table from its errors to ours."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import paramiko
from fabric import Config, Connection

from lofn_aws.adapters.ssh_keys import UnknownHostKey, pin
from lofn_aws.errors import CredentialsError, InfrastructureError

# Paramiko logs what it also raises; Python prints the log where nobody asked for one.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_KEEPALIVE_SECONDS = 15


class HostUnreachable(InfrastructureError):
    """No connection to a host, or it broke: trying again may help."""

    default_next = "lofn-aws status  (does the node run, and at which address?)"


class HostKeyError(InfrastructureError):
    """A host showed another key than the one its bootstrap action published."""

    default_next = "lofn-aws status  (which nodes the cluster has, by EMR's word)"


@dataclass(frozen=True)
class Login:
    """Who logs in and how: without a key file, by the SSH agent. The timeout is in seconds."""

    user: str
    key_file: str | None
    port: int
    timeout: float


def connect(
    host: str, login: Login, host_keys: str | None, gateway: Connection | None
) -> Connection:
    """Return an open connection to ``host``, through ``gateway`` where there is one.

    ``host_keys`` has the public host keys that are accepted, one "type base64" line each. Raises
    HostKeyError for another key or none, CredentialsError for a refused login, HostUnreachable.
    """
    connection = Connection(
        host,
        user=login.user,
        port=login.port,
        gateway=gateway,
        # The person's ~/.ssh/config is not read: what works must not depend on it.
        config=Config(overrides={"load_ssh_configs": False}, lazy=True),
        connect_timeout=max(1, int(login.timeout)),
        connect_kwargs={
            "key_filename": [login.key_file] if login.key_file else [],
            "look_for_keys": False,
            "allow_agent": login.key_file is None,
            "banner_timeout": login.timeout,
            "auth_timeout": login.timeout,
            "channel_timeout": login.timeout,
            "transport_factory": _fast_transport,
        },
    )
    with _errors(host, login):
        try:
            pin(connection.client, host, login.port, host_keys)
            connection.open()
        except BaseException:
            connection.client.close()
            raise
    connection.transport.set_keepalive(_KEEPALIVE_SECONDS)
    return connection


def _fast_transport(sock: object, **options: object) -> paramiko.Transport:
    """A transport that prefers AES-GCM: the same strength, and 1.6 times paramiko's rate."""
    transport = paramiko.Transport(sock, **options)
    security = transport.get_security_options()
    security.ciphers = sorted(security.ciphers, key=lambda name: "gcm" not in name)
    return transport


@contextlib.contextmanager
def _errors(host: str, login: Login) -> Iterator[None]:
    """The one table from connection errors to ours."""
    try:
        yield
    except paramiko.BadHostKeyException as error:
        raise HostKeyError(
            f"{host} showed another SSH host key ({error.key.get_name()} {error.key.fingerprint}) "
            f"than the one its bootstrap action published ({error.expected_key.fingerprint}): "
            "another machine answers at this address, or the node was rebuilt"
        ) from error
    except UnknownHostKey as error:
        raise HostKeyError(f"{error}: its identity cannot be proved") from error
    except paramiko.AuthenticationException as error:
        keys = f"key file {login.key_file}" if login.key_file else "the keys of the SSH agent"
        raise CredentialsError(
            f"{host} refused the SSH login of {login.user} with {keys}: {error}",
            "lofn-aws config  (key_file must be the private half of the cluster's key pair)",
        ) from error
    except FileNotFoundError as error:
        raise CredentialsError(
            f"the SSH key file {login.key_file} does not exist", "lofn-aws config  (see key_file)"
        ) from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise HostUnreachable(f"no SSH connection to {host}: {_reason(error)}") from error
    except ValueError as error:
        raise HostKeyError(f"the published host key of {host} is damaged: {error}") from error


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
