"""The SSH adapter against a real sshd: three addresses of loopback stand for three nodes."""

from __future__ import annotations

import io
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lofn_aws.adapters.ssh import CommandFailed, Gateway, HostKeyError, HostUnreachable
from lofn_aws.adapters.ssh_exec import bounded
from lofn_aws.errors import CredentialsError, InfrastructureError
from tests.contract.sshd import ADDRESSES, SSHD, Sshd, running

pytestmark = pytest.mark.skipif(SSHD is None, reason="needs OpenSSH's server (sshd)")
PRIMARY, SECOND, THIRD = ADDRESSES


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running(tmp_path_factory.mktemp("sshd")) as server:
        yield server


def gateway_to(sshd: Sshd, keys: dict[str, str] | None = None, **options: object) -> Gateway:
    pinned = dict.fromkeys(ADDRESSES, sshd.host_key_lines) if keys is None else keys
    settings: dict[str, object] = {"user": sshd.user, "key_file": sshd.key_file, **options}
    return Gateway(PRIMARY, host_keys=pinned, port=sshd.port, **settings)  # type: ignore[arg-type]


@pytest.fixture
def gateway(sshd: Sshd) -> Iterator[Gateway]:
    with gateway_to(sshd) as opened:
        yield opened


@pytest.mark.parametrize("host", [None, PRIMARY, SECOND])
def test_run_gives_exit_code_and_both_outputs(gateway: Gateway, host: str | None) -> None:
    result = gateway.run(host, "echo out; echo 'e\"r' >&2; exit 3", timeout=20, check=False)
    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\n", 'e"r\n')
    assert result.host == (host or PRIMARY)


def test_check_raises_with_host_code_and_reason(gateway: Gateway) -> None:
    with pytest.raises(CommandFailed, match=r"127\.0\.0\.2.*exit code 4.*no such thing") as caught:
        gateway.run(SECOND, "echo no such thing >&2; exit 4", timeout=20)
    assert caught.value.result.exit_code == 4


def test_stdin_arrives_whole_and_is_closed(gateway: Gateway) -> None:
    data = os.urandom(5_000_003)
    out = io.BytesIO()
    gateway.run(SECOND, "cat", timeout=60, stdin=io.BytesIO(data), stdout=out)
    assert out.getvalue() == data
    assert gateway.run(None, "cat", timeout=20).stdout == ""


def test_stream_sees_output_before_the_end(gateway: Gateway) -> None:
    seen: list[tuple[str, bytes, float]] = []
    start = time.monotonic()
    gateway.run(
        None,
        "echo first; sleep 1; echo second >&2",
        timeout=20,
        stream=lambda name, data: seen.append((name, data, time.monotonic() - start)),
    )
    assert [(name, data) for name, data, _ in seen] == [
        ("stdout", b"first\n"),
        ("stderr", b"second\n"),
    ]
    assert seen[0][2] < seen[1][2] - 0.5


def test_a_command_that_ignores_its_input_keeps_its_exit_code(gateway: Gateway) -> None:
    result = gateway.run(None, "exit 7", timeout=20, stdin=bytes(20_000_000), check=False)
    assert result.exit_code == 7


def test_an_input_that_cannot_be_read_ends_the_command_with_that_error(
    gateway: Gateway, tmp_path: Path
) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise PermissionError("disk gone")

    with pytest.raises(PermissionError, match="disk gone"):
        gateway.run(None, f"cat > {tmp_path}/got; sleep 1", timeout=20, stdin=Broken())  # type: ignore[arg-type]


def test_deadline_is_kept_and_says_so(gateway: Gateway) -> None:
    start = time.monotonic()
    with pytest.raises(InfrastructureError, match=r"`sleep 50` did not end within 1 s"):
        gateway.run(SECOND, "sleep 50", timeout=1)
    assert time.monotonic() - start < 5


@pytest.mark.skipif(os.geteuid() == 0, reason="sshd takes no signal for a session of root")
def test_deadline_ends_the_command_on_the_host(gateway: Gateway) -> None:
    with pytest.raises(InfrastructureError):
        gateway.run(None, "sleep 51.75", timeout=1)
    for _ in range(30):
        if not gateway.run(None, "pgrep -xf 'sleep 51.75'", timeout=20, check=False).ok:
            return
        time.sleep(0.1)
    pytest.fail("the command goes on after its deadline")


def test_the_host_itself_ends_a_command_whose_client_is_gone() -> None:
    assert bounded("a 'b'", 30).startswith("exec timeout -k 5 40 sh -c ")


def test_run_all_is_parallel_and_complete(gateway: Gateway) -> None:
    start = time.monotonic()
    results = gateway.run_all([SECOND, "127.0.0.99", THIRD], "sleep 1; echo $0", timeout=20)
    assert time.monotonic() - start < 1.9 + 1
    assert list(results) == [SECOND, "127.0.0.99", THIRD]
    assert results[SECOND].stdout == results[THIRD].stdout == "sh\n"  # type: ignore[union-attr]
    assert isinstance(results["127.0.0.99"], HostUnreachable)


def test_many_commands_at_once_over_fresh_connections(sshd: Sshd) -> None:
    with gateway_to(sshd) as fresh:
        results = [
            answer
            for _ in range(5)
            for answer in fresh.run_all([SECOND, THIRD], "echo ok", timeout=20).values()
        ]
    assert [getattr(answer, "stdout", answer) for answer in results] == ["ok\n"] * 10


def test_an_unreachable_primary_is_the_result_of_every_host() -> None:
    with Gateway("127.0.0.1", port=9, host_keys={}, key_file=None) as nowhere:
        results = nowhere.run_all(["a", "b"], "true", timeout=5)
    assert {type(answer) for answer in results.values()} == {HostUnreachable}


def test_host_key_of_another_machine_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    other = (sshd.folder / "user.pub").read_text()
    with pytest.raises(HostKeyError, match="another machine answers"):
        gateway_to(sshd, {PRIMARY: other}).open()


def test_host_without_published_key_is_refused(sshd: Sshd) -> None:
    with gateway_to(sshd, {PRIMARY: sshd.host_key_lines}) as opened:
        assert opened.run(None, "echo fine", timeout=20).ok
        with pytest.raises(HostKeyError, match=r"no key was published"):
            opened.run(SECOND, "echo never", timeout=20)


def test_damaged_published_key_is_said(sshd: Sshd) -> None:
    with pytest.raises(HostKeyError, match="damaged"):
        gateway_to(sshd, {PRIMARY: "ssh-ed25519 !!!"}).open()


def test_only_an_rsa_key_published_is_enough(sshd: Sshd) -> None:
    rsa = (sshd.folder / "host_rsa.pub").read_text()
    with gateway_to(sshd, {PRIMARY: rsa}) as opened:
        assert opened.run(None, "true", timeout=20).ok


def test_wrong_key_file(sshd: Sshd) -> None:
    with pytest.raises(CredentialsError, match="refused the SSH login"):
        gateway_to(sshd, key_file=sshd.folder / "host_ed25519").open()
    with pytest.raises(CredentialsError, match="does not exist"):
        gateway_to(sshd, key_file=sshd.folder / "absent").open()


def test_forward_carries_both_ways_and_ends(gateway: Gateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_echo_once, args=(server,), daemon=True).start()
        with (
            gateway.forward(server.getsockname()[1]) as port,
            socket.create_connection(("127.0.0.1", port), 10) as client,
        ):
            data = os.urandom(1_000_000)
            threading.Thread(target=_send, args=(client, data), daemon=True).start()
            assert _receive(client) == data
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 1)


def test_forward_from_a_port_of_choice_or_any_other_if_it_is_taken(gateway: Gateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        wanted = free.getsockname()[1]
        with gateway.forward(9, wanted) as port:
            assert port != wanted
    with gateway.forward(9, wanted) as port:
        assert port == wanted


def test_forward_to_a_closed_port_closes_the_client(gateway: Gateway) -> None:
    with gateway.forward(9) as port, socket.create_connection(("127.0.0.1", port), 10) as client:
        assert client.recv(10) == b""


def test_a_broken_connection_is_opened_again(gateway: Gateway) -> None:
    gateway.run(SECOND, "true", timeout=20)
    gateway._transport(SECOND).close()
    assert gateway.run(SECOND, "echo again", timeout=20).stdout == "again\n"


def _echo_once(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


def _send(client: socket.socket, data: bytes) -> None:
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)


def _receive(client: socket.socket) -> bytes:
    client.settimeout(20)
    return b"".join(iter(lambda: client.recv(65536), b""))
