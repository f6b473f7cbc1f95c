"""Volumes: their form is checked on the driver, their meaning depends on the master."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from lofn.cache import CachePlace, VolumeFailed
from lofn.errors import UsageError
from lofn.volumes import Mounts, VolumeSpec, resolve, validate


def test_the_documented_form_is_read() -> None:
    given = {"/ref": {"bind": "/ref", "mode": "ro"}, "hdfs:///x": {"bind": "/data/../y/"}}
    assert validate(given) == (
        VolumeSpec("/ref", "/ref", "ro", "local"),
        VolumeSpec("hdfs:///x", "/y", "ro", "hdfs"),
    )
    assert validate(None) == validate({}) == ()


@pytest.mark.parametrize(
    ("volumes", "sentence"),
    [
        ([("/a", "/b")], "must be a dictionary"),
        ({"/a": "/b"}, "'/a' must map to a dictionary"),
        ({"/a": {"bnd": "/b"}}, "unknown key 'bnd': did you mean 'bind'?"),
        ({"/a": {"bind": "/b", "mod": "ro"}}, "did you mean 'mode'?"),
        ({"/a": {"mode": "ro"}}, "lacks 'bind'"),
        ({"/a": {"bind": "b"}}, "must be an absolute path in the container"),
        ({"/a": {"bind": "/"}}, "would hide the image"),
        ({"/a": {"bind": "/b:c"}}, "no colon"),
        ({"/a": {"bind": "/b", "mode": "wr"}}, "must be 'ro' or 'rw'"),
        ({"ref": {"bind": "/b"}}, "write '/"),
        ({"hfds:///ref": {"bind": "/b"}}, "did you mean hdfs://?"),
        ({"s3:bucket": {"bind": "/b"}}, "write s3://"),
        ({"s3://b/ref": {"bind": "/b", "mode": "rw"}}, "write results to the shared folder"),
        ({"/a": {"bind": "/c"}, "/b": {"bind": "/c/"}}, "both bound at '/c'"),
        ({3: {"bind": "/c"}}, "as text"),
    ],
)
def test_a_wrong_form_is_refused_with_what_to_write(volumes: Any, sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        validate(volumes)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_plain_path_is_in_hdfs_on_yarn_only() -> None:
    specs = validate({"/ref": {"bind": "/r"}, "file:///node": {"bind": "/n", "mode": "rw"}})
    assert [spec.scheme for spec in resolve(specs, "yarn")] == ["hdfs", "local"]
    assert [spec.scheme for spec in resolve(specs, "local[4]")] == ["local", "local"]
    with pytest.raises(UsageError, match="cannot be 'rw'"):
        resolve(validate({"/ref": {"bind": "/r", "mode": "rw"}}), "yarn")


def test_local_folders_are_bound_as_they_are_and_missing_ones_name_the_node(
    tmp_path: Path,
) -> None:
    (tmp_path / "a b").mkdir()
    specs = validate({f"file://{tmp_path}/a b": {"bind": "/x", "mode": "rw"}})
    mounts = pickle.loads(pickle.dumps(Mounts(((specs[0], None),), CachePlace())))
    with mounts.open() as binds:
        assert binds == [(str(tmp_path / "a b"), "/x", "rw")]
    gone = validate({str(tmp_path / "gone"): {"bind": "/x"}})
    absent = Mounts(((gone[0], None),), CachePlace())
    with pytest.raises(VolumeFailed, match=f"does not exist on node {os.uname().nodename}"):
        absent.open().__enter__()


def test_settings_of_the_job_are_not_shown() -> None:
    place = CachePlace(settings=(("fs.s3a.secret.key", "hush"),))
    assert "hush" not in repr(Mounts((), place))
