"""The command line as a person meets it: exit codes, sentences, options on both sides."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lofn_aws.cli.main import COMMANDS, cli, run
from lofn_aws.cli.options import Invocation, with_flags
from lofn_aws.errors import CapacityError, LofnAwsError

SAID = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder and a home of the test's own, and no setting of the person's."""
    for name in ("LOFN_AWS_REGION", "LOFN_AWS_SANDBOX_NAME", "AWS_PROFILE", "AWS_REGION",
                 "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_names_every_command(capsys: SAID) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for name in COMMANDS:
        assert f"\n  {name} " in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_imported_and_explains_itself(name: str, capsys: SAID) -> None:
    assert run([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Usage: lofn-aws {name}" in text
    assert "--sandbox" in text


def test_the_short_help_in_the_table_is_the_commands_own() -> None:
    """The table spares imports; it must not say something else than the command does."""
    for name, (_, _, short) in COMMANDS.items():
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        assert short == command.get_short_help_str(limit=200), name


def test_help_loads_neither_boto3_nor_the_sandbox() -> None:
    code = ("import sys; from lofn_aws.cli.main import run; run(['--help']);"
            "sys.exit(sum(n in sys.modules for n in ('boto3', 'paramiko', 'docker', 'moto')))")
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60,
                          capture_output=True)
    assert done.returncode == 0


@pytest.mark.parametrize(("argv", "exit_code", "said"), [
    (["no-such"], 2, "No such command 'no-such'"),
    (["up", "--no-such"], 2, "No such option"),
    (["up", "--core-count", "many"], 2, "core_count = 'many' must be a whole number"),
    (["up", "--timeout", "soon"], 2, "must be a duration"),
    (["--config", "gone.toml", "config"], 2, "there is no settings file gone.toml"),
    (["--sandbox", "status"], 3, "the sandbox default does not run"),
    (["sandbox", "status"], 3, "the sandbox default does not run"),
    (["--profile", "gone", "status"], 4, "The config profile (gone) could not be found"),
    (["down", "--delete-bucket", "--no-wait"], 2, "--delete-bucket"),
])
def test_what_is_wrong_is_one_sentence_and_an_exit_code(
    argv: list[str], exit_code: int, said: str, capsys: SAID
) -> None:
    assert run(argv) == exit_code
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""
    assert "Traceback" not in err


def test_down_of_a_sandbox_that_does_not_run_is_nothing_to_do(capsys: SAID) -> None:
    assert run(["--sandbox", "down", "-y"]) == 0
    assert "nothing to do" in capsys.readouterr().err


def test_options_stand_before_or_after_the_command(capsys: SAID) -> None:
    for argv in (["-c", "x", "-o", "json", "--region", "eu-west-1", "config"],
                 ["config", "-c", "x", "-o", "json", "--region", "eu-west-1"],
                 ["-o", "json", "config", "--region", "eu-west-1", "-c", "x"]):
        assert run(argv) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["cluster_name"] == {"value": "x", "origin": "flag"}
        assert told["region"]["value"] == "eu-west-1"


def test_init_writes_a_file_once(clean: Path, capsys: SAID) -> None:
    assert run(["init"]) == 0
    written = clean / "lofn-aws.toml"
    assert capsys.readouterr().out.strip() == str(written)
    written.write_text("core_count = 5\n")
    assert run(["init"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert run(["config", "--region", "x", "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["core_count"]
    assert told == {"value": 5, "origin": str(written)}
    assert run(["init", "--force"]) == 0
    assert "core_count = 5" not in written.read_text()


def test_an_error_carries_its_code_and_next_command(
    monkeypatch: pytest.MonkeyPatch, capsys: SAID
) -> None:
    def fail() -> None:
        raise CapacityError("no room", "lofn-aws up")

    monkeypatch.setattr("lofn_aws.cli.init.commented_toml", fail)
    assert run(["--sandbox", "-c", "x", "init"]) == 5
    assert capsys.readouterr().err == "error: no room\nnext:  lofn-aws --sandbox -c x up\n"


def test_a_bug_is_one_sentence_and_a_traceback_only_with_v(
    monkeypatch: pytest.MonkeyPatch, capsys: SAID
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("lofn_aws.cli.init.commented_toml", fail)
    assert run(["init"]) == 1
    err = capsys.readouterr().err
    assert "unexpected ZeroDivisionError: division by zero" in err
    assert "Traceback" not in err
    assert run(["init", "-v"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch, capsys: SAID) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lofn_aws.cli.init.commented_toml", interrupt)
    assert run(["init"]) == 130
    assert capsys.readouterr().err.strip() == (
        "error: interrupted\nnext:  lofn-aws status")


def test_next_commands_repeat_flags_once() -> None:
    invocation = Invocation(flags={"sandbox": True, "cluster_name": "x"})
    assert with_flags("lofn-aws up  or  lofn-aws down", invocation) == (
        "lofn-aws --sandbox -c x up  or  lofn-aws --sandbox -c x down")
    assert with_flags("lofn-aws --sandbox up", invocation) == "lofn-aws -c x --sandbox up"
    assert with_flags("pip install 'lofn-aws[sandbox]'", invocation) == (
        "pip install 'lofn-aws[sandbox]'")


def test_exit_codes_are_those_documented() -> None:
    def below(kind: type[LofnAwsError]) -> set[type[LofnAwsError]]:
        return {kind}.union(*(below(k) for k in kind.__subclasses__()))

    codes = {k.exit_code for k in below(LofnAwsError)}
    assert codes == {1, 2, 3, 4, 5, 10, 11, 12, 130}
