"""Images' names: what lands in the cluster's registry, and near misses."""

import pytest

from lofn_aws.errors import UsageError
from lofn_aws.model.image import nearest_names, parse_image


@pytest.mark.parametrize(
    ("text", "on_cluster"),
    [
        ("gsnap", "localhost:5000/gsnap:latest"),
        ("tools/gsnap:1.2", "localhost:5000/tools/gsnap:1.2"),
        ("localhost:5000/gsnap:1", "localhost:5000/gsnap:1"),
        (
            "quay.io/biocontainers/samtools:1.17--h00_1",
            "localhost:5000/biocontainers/samtools:1.17--h00_1",
        ),
        ("host:5000/a", "localhost:5000/a:latest"),
    ],
)
def test_where_it_lands(text: str, on_cluster: str) -> None:
    assert parse_image(text).on_cluster == on_cluster


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("GSNAP", "small letters"),
        ("a//b", "not an image's name"),
        ("", "not an image's name"),
        ("a:", "no valid tag"),
        ("a:b c", "no valid tag"),
        ("a@sha256:0000", "digest"),
    ],
)
def test_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_image(text)


def test_nearest_names() -> None:
    known = ["tools/gsnap:1", "tools/samtools:1", "debian:bookworm"]
    assert nearest_names("tools/gsnp:1", known)[0] == "tools/gsnap:1"
    assert nearest_names("samtools", known) == ["tools/samtools:1"]
    assert nearest_names("zzz", known) == []
