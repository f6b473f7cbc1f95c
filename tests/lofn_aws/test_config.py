"""Settings: precedence, origins, and sentences about what is wrong."""

from dataclasses import fields
from pathlib import Path

import pytest

from lofn_aws.config import SandboxValues, Settings, load_settings
from lofn_aws.errors import UsageError
from lofn_aws.report.config_file import commented_toml
from lofn_aws.settings import SETTINGS

SANDBOX = SandboxValues("http://172.30.0.1:4000", "test", "test-secret", "us-east-1", "lofn/reg:2")


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def user_file(home: dict[str, str], text: str) -> Path:
    path = Path(home["XDG_CONFIG_HOME"]) / "lofn-aws" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def project_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lofn-aws.toml"
    path.write_text(text)
    return path


def test_table_and_class_have_the_same_settings() -> None:
    names = {f.name for f in fields(Settings)} - {"origins"}
    assert names == {s.name for s in SETTINGS}


def test_defaults_are_values_their_own_readers_take(tmp_path: Path) -> None:
    for setting in SETTINGS:
        if setting.default is not None:
            assert setting.read(setting.default) == setting.default, setting.name


def test_each_origin_wins_over_those_below_it(tmp_path: Path, home: dict[str, str]) -> None:
    user_file(home, "core_count = 3\ncore_type = 'u'\nprimary_type = 'u'\ntask_type = 'u'\n")
    path = project_file(tmp_path, "core_count = 4\ncore_type = 'p'\nprimary_type = 'p'\n")
    env = {**home, "LOFN_AWS_CORE_COUNT": "5", "LOFN_AWS_CORE_TYPE": "e"}
    s = load_settings({"core_count": 6}, env, tmp_path, chain={"region": "eu-west-1"})
    assert (s.core_count, s.core_type, s.primary_type, s.task_type) == (6, "e", "p", "u")
    assert s.region == "eu-west-1"
    assert s.origins["core_count"] == "flag"
    assert s.origins["core_type"] == "environment"
    assert s.origins["primary_type"] == str(path)
    assert s.origins["task_type"].endswith("config.toml")
    assert s.origins["region"] == "AWS's own chain"
    assert s.origins["release_label"] == "default"


def test_a_file_of_a_folder_above_is_found(tmp_path: Path, home: dict[str, str]) -> None:
    project_file(tmp_path, "core_count = 7")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert load_settings({}, home, below).core_count == 7


def test_an_unknown_key_names_file_key_and_nearest_name(
    tmp_path: Path, home: dict[str, str]
) -> None:
    path = project_file(tmp_path, "core_cuont = 4")
    with pytest.raises(UsageError) as caught:
        load_settings({}, home, tmp_path)
    assert str(path) in caught.value.message
    assert "core_cuont" in caught.value.message
    assert "did you mean core_count?" in caught.value.message


@pytest.mark.parametrize(("text", "said"), [
    ("core_count = -1", "core_count = -1 must be a whole number from 0 to 1000"),
    ("core_count = true", "must be a whole number"),
    ("idle_timeout = '30'", "must be 0 (never) or from 60s to 7d"),
    ("idle_timeout = 'soon'", "must be a duration"),
    ("bucket = 'My_Bucket'", "must be a bucket name"),
    ("ssh_ingress = '0.0.0.0/0'", "must not open SSH to the whole internet"),
    ("ssh_ingress = '::/0'", "must not open SSH to the whole internet"),
    ("ssh_ingress = 'everyone'", "must be auto, none or a CIDR"),
    ("sandbox = 'maybe'", "must be true or false"),
    ("cluster_name = 'a b'", "must be up to 64 letters"),
    ("secret_key = 'x'", "secret_key is not a setting"),
    ("core_count = ", "is not valid TOML"),
    ("profiles = 3", "profiles must be tables"),
    ("[profiles.x]\ncore_cont = 1", "[profiles.x]: core_cont is not a setting"),
])
def test_a_wrong_value_is_one_sentence_that_names_it(
    tmp_path: Path, home: dict[str, str], text: str, said: str
) -> None:
    path = project_file(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_settings({}, home, tmp_path)
    assert said in caught.value.message
    assert str(path) in caught.value.message


def test_a_wrong_environment_variable_is_named(tmp_path: Path, home: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="LOFN_AWS_CORE_COUNT = 'x'"):
        load_settings({}, {**home, "LOFN_AWS_CORE_COUNT": "x"}, tmp_path)


def test_a_settings_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no settings file .*missing\.toml"):
        load_settings({}, {}, tmp_path, config_file=tmp_path / "missing.toml")


def test_the_sandbox_gives_endpoint_keys_and_region(tmp_path: Path, home: dict[str, str]) -> None:
    s = load_settings({"region": "eu-north-1", "profile": "work"}, home, tmp_path, sandbox=SANDBOX)
    assert (s.endpoint_url, s.region, s.profile) == ("http://172.30.0.1:4000", "us-east-1", None)
    assert (s.access_key, s.secret_key) == ("test", "test-secret")
    assert s.origins["endpoint_url"] == "sandbox"


def test_the_sandboxs_other_values_are_defaults(tmp_path: Path, home: dict[str, str]) -> None:
    s = load_settings({"ssh_ingress": "10.0.0.1/32"}, home, tmp_path, sandbox=SANDBOX)
    assert (s.ssh_ingress, s.origins["ssh_ingress"]) == ("10.0.0.1/32", "flag")
    assert (s.registry_image, s.origins["registry_image"]) == ("lofn/reg:2", "sandbox")


def test_a_profile_table_is_stronger_than_its_file(tmp_path: Path, home: dict[str, str]) -> None:
    project_file(tmp_path, "profile = 'local'\ncore_count = 4\n"
                           "[profiles.local]\nsandbox = true\ncore_count = 1\n")
    s = load_settings({}, home, tmp_path)
    assert (s.sandbox, s.core_count, s.profile) == (True, 1, None)
    assert "[profiles.local]" in s.origins["sandbox"]
    assert load_settings({"core_count": 9}, home, tmp_path).core_count == 9


def test_a_profile_without_a_table_is_an_aws_profile(tmp_path: Path, home: dict[str, str]) -> None:
    project_file(tmp_path, "[profiles.local]\nsandbox = true\n")
    s = load_settings({"profile": "work"}, home, tmp_path)
    assert (s.sandbox, s.profile) == (False, "work")


@pytest.mark.parametrize(("text", "seconds"), [
    ("90", 90), ("90s", 90), ("30m", 1800), ("1h", 3600), ("2d", 172_800), (60, 60), ("0", 0),
])
def test_durations(tmp_path: Path, home: dict[str, str], text: object, seconds: int) -> None:
    assert load_settings({"idle_timeout": text}, home, tmp_path).idle_timeout == seconds


def test_the_written_file_explains_every_setting_and_changes_nothing(
    tmp_path: Path, home: dict[str, str]
) -> None:
    text = commented_toml()
    project_file(tmp_path, text)
    assert load_settings({}, home, tmp_path) == load_settings({}, home, Path("/nowhere"))
    for setting in SETTINGS:
        assert (f"# {setting.name} = " in text) == setting.in_file


def test_every_commented_default_can_be_switched_on(tmp_path: Path, home: dict[str, str]) -> None:
    """A line loses its '# ' and still means what it meant, where it has a default."""
    lines = [
        line.removeprefix("# ") for line in commented_toml().splitlines()
        if line.startswith("# ") and " = " in line and not line.endswith('""')
        and line.removeprefix("# ").split(" = ")[0] in {s.name for s in SETTINGS}
    ]
    plain = load_settings({}, home, Path("/nowhere"))
    keys = [line.split(" = ")[0] for line in lines]
    last = keys.index("sandbox_name")  # what follows is the example of a profile
    assert len(keys[: last + 1]) > 15
    project_file(tmp_path, "\n".join(lines[: last + 1]))
    assert load_settings({}, home, tmp_path) == plain
