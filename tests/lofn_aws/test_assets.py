"""The scripts that run on nodes are found, from the wheel first."""

from pathlib import Path

import pytest

from lofn_aws import assets
from lofn_aws.errors import UsageError


def test_a_checkouts_scripts_are_found() -> None:
    assert (assets.asset_dir("bootstrap") / "lofn-bootstrap.sh").is_file()
    assert (assets.asset_dir("steps") / "probe.py").is_file()


def test_the_wheels_own_scripts_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lofn_aws"
    (tmp_path / "steps").mkdir()
    monkeypatch.setattr(assets, "_PACKAGE", package)
    assert assets.asset_dir("steps") == tmp_path / "steps"
    (package / "_assets" / "steps").mkdir(parents=True)
    assert assets.asset_dir("steps") == package / "_assets" / "steps"


def test_a_broken_installation_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_PACKAGE", tmp_path / "lofn_aws")
    with pytest.raises(UsageError, match="lacks its bootstrap scripts"):
        assets.asset_dir("bootstrap")
