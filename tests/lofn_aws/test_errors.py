"""Every error ends with the next command to type, and says so on stderr."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import lofn_aws
from lofn_aws.cli.main import run
from lofn_aws.cli.options import Invocation
from lofn_aws.errors import (
    EndpointUnreachable,
    InfrastructureError,
    LofnAwsError,
    UsageError,
    suggesting,
)


def every_kind() -> list[type[LofnAwsError]]:
    """All classes of errors of the package, with every module of it imported."""
    for found in pkgutil.walk_packages(lofn_aws.__path__, "lofn_aws."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)

    def below(kind: type[LofnAwsError]) -> list[type[LofnAwsError]]:
        return [kind, *(k for sub in kind.__subclasses__() for k in below(sub))]

    return below(LofnAwsError)


def raised(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """What a person reads when a command raises this."""

    def fail() -> None:
        raise error

    monkeypatch.setattr("lofn_aws.cli.init.commented_toml", fail)
    run(["init", "--force"])
    return capsys.readouterr().err.splitlines()


def test_every_kind_of_error_ends_with_a_next_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = every_kind()
    assert len(kinds) > 15
    for kind in kinds:
        error = kind.__new__(kind)
        LofnAwsError.__init__(error, "it went wrong")
        first, last = raised(error, monkeypatch, capsys)
        assert first == "error: it went wrong"
        label, _, command = last.partition(":  ")
        assert label == "next", kind
        assert command.split()[0] in {"lofn-aws", "aws", "docker"}, kind


def test_an_errors_own_command_comes_before_its_classs() -> None:
    assert UsageError("x").next_command == "lofn-aws --help"
    assert UsageError("x", "lofn-aws config").next_command == "lofn-aws config"


def test_a_suggestion_is_for_errors_without_a_command_of_their_own() -> None:
    for given, shown in ((None, "lofn-aws up"), ("docker info", "docker info")):
        with pytest.raises(InfrastructureError) as caught, suggesting("lofn-aws up"):
            raise InfrastructureError("x", given)
        assert caught.value.next_command == shown


def test_a_sandbox_that_was_lost_is_to_be_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = EndpointUnreachable("no answer")
    assert raised(error, monkeypatch, capsys)[-1] == "next:  lofn-aws config"
    monkeypatch.setattr(Invocation, "__init__", _on_sandbox)
    assert raised(error, monkeypatch, capsys)[-1] == "next:  lofn-aws sandbox start"


def _on_sandbox(self: Invocation) -> None:
    self.flags, self.config_file, self.verbose = {}, None, False
    self.on_sandbox = True
