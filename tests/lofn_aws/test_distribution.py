"""The wheel that people install: it has the files that run on nodes, and finds them there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
# Where the project's files are in the wheel.
PLACES = {"bootstrap": "lofn_aws/_assets/bootstrap", "steps": "lofn_aws/_assets/steps",
          "lofn": "lofn", "lofn_aws": "lofn_aws"}
FIND = """
import json
from lofn_aws.assets import asset_dir
from lofn_aws.sandbox.image_context import IMAGE_DIR
from lofn_aws.workflows.wanted import node_assets
print(json.dumps({"folders": [str(asset_dir("bootstrap")), str(asset_dir("steps")), str(IMAGE_DIR)],
                  "assets": [[a.name, len(a.data)] for a in node_assets()]}))
"""


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """The project's files that are to be installed, as git knows them."""
    done = subprocess.run(["git", "ls-files", *PLACES], cwd=ROOT, capture_output=True, text=True,
                          check=True, timeout=60)
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, tracked: list[str]) -> Path:
    """The distribution as pip builds it, from a copy of the project: nothing is fetched."""
    folder = tmp_path_factory.mktemp("source")
    for name in (*tracked, "pyproject.toml", "README.md", "LICENSE"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    done = subprocess.run([sys.executable, "-c", BUILD, str(folder / "dist")], cwd=folder,
                          capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder / "dist" / done.stdout.split()[-1]


def test_every_file_of_the_packages_and_nodes_is_in_the_wheel(
    wheel: Path, tracked: list[str]
) -> None:
    inside = {info.filename: info for info in zipfile.ZipFile(wheel).infolist()}
    for name in tracked:
        top = name.partition("/")[0]
        place = PLACES[top] + name.removeprefix(top)
        assert place in inside, name
        if os.access(ROOT / name, os.X_OK):  # the node image's scripts are run as they are
            assert inside[place].external_attr >> 16 & 0o111, name
    assert "lofn_aws/_assets/bootstrap/lofn-node.sh" in inside
    assert "lofn_aws/_assets/steps/probe.py" in inside
    assert "lofn_aws/sandbox/image/rootfs/usr/libexec/emr/install-applications" in inside
    assert not [name for name in inside if name.startswith(("tests/", "benchmarks/"))]


def test_an_installed_package_finds_its_own_files(wheel: Path, tmp_path: Path) -> None:
    """The toolkit that runs is the one of the wheel, and so are the files that it sends."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    # First on the path: the checkout's editable install must not answer for the wheel.
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{FIND}"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True,
                          text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert all(Path(folder).is_relative_to(tmp_path) for folder in told["folders"]), told
    sizes = dict(told["assets"])
    assert sizes["lofn-bootstrap.sh"] == (ROOT / "bootstrap/lofn-bootstrap.sh").stat().st_size
    assert [name for name in sizes if name.startswith("lofn-") and name.endswith(".whl")]
