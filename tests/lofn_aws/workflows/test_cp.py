"""`cp` between this machine and S3 on moto; HDFS at one end is in tests/sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from lofn_aws.errors import InfrastructureError, NotFoundError, UsageError
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.cp import copy

FILES = {"a": "1", "sub/b": "22", "sub/it's [c].txt": "333"}


@pytest.fixture
def s3(ctx: Context) -> Context:
    ctx.s3.ensure_bucket("place", "us-east-1")
    return ctx


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "folder"


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_folder_there_and_back(s3: Context, folder: Path, tmp_path: Path) -> None:
    done = copy(s3, str(folder), "s3://place/x/", force=False)
    assert (done.target, done.files, done.size) == ("s3://place/x/folder", 3, 6)
    copy(s3, "s3://place/x/folder", "s3://place/y", force=False)
    copy(s3, "s3://place/y", str(tmp_path / "back"), force=False)
    assert files(tmp_path / "back") == FILES
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == [
        "back",
        "folder",
    ]


def test_file_there_and_back(s3: Context, folder: Path, tmp_path: Path) -> None:
    copy(s3, str(folder / "a"), "s3://place/one", force=False)
    copy(s3, "s3://place/one", str(tmp_path / "new" / "name"), force=False)
    assert (tmp_path / "new" / "name").read_text() == "1"


def test_existing_is_refused_and_replaced_with_force(
    s3: Context, folder: Path, tmp_path: Path
) -> None:
    copy(s3, str(folder), "s3://place/x", force=False)
    (folder / "a").write_text("changed")
    with pytest.raises(UsageError, match=r"s3://place/x/folder is there already|is there already"):
        copy(s3, str(folder / "a"), "s3://place/x/a", force=False)
    copy(s3, str(folder / "a"), "s3://place/x/a", force=True)
    copy(s3, "s3://place/x", str(tmp_path / "back"), force=False)
    assert files(tmp_path / "back") == {**FILES, "a": "changed"}


def test_force_merges_folders(s3: Context, folder: Path, tmp_path: Path) -> None:
    copy(s3, str(folder), "s3://place/folder", force=False)
    mine = tmp_path / "mine" / "folder"
    mine.mkdir(parents=True)
    (mine / "own").write_text("kept")
    (mine / "a").write_text("old")
    copy(s3, "s3://place/folder", str(tmp_path / "mine"), force=True)
    assert files(mine) == {**FILES, "own": "kept"}


def test_a_folder_is_never_put_in_a_files_place(s3: Context, folder: Path) -> None:
    copy(s3, str(folder / "a"), "s3://place/x", force=False)
    with pytest.raises(UsageError, match="is a folder and s3://place/x is a file"):
        copy(s3, str(folder), "s3://place/x", force=True)


@pytest.mark.parametrize("source", ["s3://place/none", "s3://nowhere-there/none", "/no/such/file"])
def test_missing_source(s3: Context, source: str, tmp_path: Path) -> None:
    target = "s3://place/x" if source.startswith("/") else str(tmp_path / "x")
    with pytest.raises(NotFoundError, match=f"there is no {source}"):
        copy(s3, source, target, force=False)


def test_a_half_fetched_folder_leaves_nothing(
    s3: Context, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(s3, str(folder), "s3://place/x", force=False)
    fetch = s3.s3.get_file

    def fails_once(bucket: str, key: str, path: Path, progress: object) -> bool:
        if key.endswith("b"):
            raise InfrastructureError("line cut")
        return fetch(bucket, key, path, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(s3.s3, "get_file", fails_once)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InfrastructureError, match="line cut"):
        copy(s3, "s3://place/x", str(tmp_path / "back"), force=False)
    assert sorted(tmp_path.iterdir()) == before


def test_unreadable_local_file(s3: Context, tmp_path: Path) -> None:
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "self").symlink_to(tmp_path)
    with pytest.raises(InfrastructureError, match=r"a file of this machine: .*leads back"):
        copy(s3, str(tmp_path / "loop"), "s3://place/x", force=False)
