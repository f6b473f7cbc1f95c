"""The engine's wheel: pip takes it, and equal sources give equal bytes."""

import subprocess
import sys
from pathlib import Path

from lofn_aws.plan.wheel import build_wheel, content_key
from lofn_aws.workflows.wanted import engine_wheel


def test_equal_sources_give_equal_bytes() -> None:
    one = build_wheel("x", "1", {"x/b.py": b"2", "x/a.py": b"1"})
    other = build_wheel("x", "1", {"x/a.py": b"1", "x/b.py": b"2"})
    assert one == other
    assert one != build_wheel("x", "1", {"x/a.py": b"1", "x/b.py": b"3"})
    assert one[0] == "x-1-py3-none-any.whl"


def test_keys_name_their_content() -> None:
    assert content_key("assets", "a.sh", b"x") != content_key("assets", "a.sh", b"y")
    assert content_key("assets", "a.sh", b"x").startswith("assets/2d711642b726b044/")


def test_pip_installs_the_engines_wheel_and_python_imports_it(tmp_path: Path) -> None:
    asset = engine_wheel()
    path = tmp_path / asset.name
    path.write_bytes(asset.data)
    target = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index",
         "--target", str(target), str(path)],
        check=True, timeout=120,
    )
    said = subprocess.run(
        [sys.executable, "-I", "-c",
         f"import sys; sys.path.insert(0, {str(target)!r}); import lofn, lofn.volumes;"
         "print(lofn.__file__, lofn.__version__)"],
        check=True, capture_output=True, text=True, timeout=60, cwd=tmp_path,
    ).stdout
    assert said.startswith(str(target))
    assert said.split()[1] == asset.name.split("-")[1]
