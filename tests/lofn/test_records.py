from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lofn.errors import RecordError, UsageError
from lofn.records import Format

SDF = "\n$$$$\n"
texts = st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=20), max_size=40)
blobs = st.lists(st.binary(max_size=20), max_size=40)


def blocks_of(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cut data into blocks of the sizes given, over and over."""
    blocks, at, turn = [], 0, 0
    while at < len(data):
        blocks.append(data[at : at + sizes[turn % len(sizes)]])
        at += sizes[turn % len(sizes)]
        turn += 1
    return blocks


def round_trip(form: Format, records, sizes):
    return list(form.decode(blocks_of(b"".join(form.encode(records)), sizes)))


@settings(max_examples=300, deadline=None)
@given(
    texts,
    st.sampled_from(["\n", SDF, "aa", "ab", "\r\n"]),
    st.sampled_from(["utf-8", "utf-16", "utf-32"]),
    st.lists(st.integers(1, 7), min_size=1, max_size=4),
)
def test_text_comes_back_or_is_refused(records, delimiter, encoding, sizes):
    form = Format(delimiter, encoding)
    try:
        got = round_trip(form, records, sizes)
    except RecordError:
        # Only what could not come back may be refused.
        assert (delimiter.join(records) + delimiter).split(delimiter)[:-1] != records
        return
    assert got == records


@settings(max_examples=300, deadline=None)
@given(blobs, st.sampled_from([b"\n", b"\0", b"\n$$$$\n"]), st.lists(st.integers(1, 7), min_size=1))
def test_bytes_come_back_or_are_refused(records, delimiter, sizes):
    form = Format(delimiter, None)
    try:
        got = round_trip(form, records, sizes)
    except RecordError:
        assert (delimiter.join(records) + delimiter).split(delimiter)[:-1] != records
        return
    assert got == records


@settings(max_examples=200, deadline=None)
@given(blobs, st.lists(st.integers(1, 9), min_size=1))
def test_length_framing_carries_any_bytes(records, sizes):
    assert round_trip(Format(encoding=None, framing="length"), records, sizes) == records


@settings(max_examples=200, deadline=None)
@given(texts, st.lists(st.integers(1, 9), min_size=1))
def test_length_framing_carries_any_text(records, sizes):
    assert round_trip(Format(framing="length"), records, sizes) == records


def test_lines_split_at_newline_alone():
    form = Format()
    assert list(form.decode([b"a\r\nb\x0bc\xe2\x80\xa8d\n\ne"])) == [
        "a\r",
        "b\x0bc\u2028d",
        "",
        "e",
    ]


def test_a_record_with_its_delimiter_is_named_by_index():
    records = ["x"] * 5000 + ["a\nb"]
    with pytest.raises(RecordError, match=r"record 5000 .*contains the delimiter"):
        b"".join(Format().encode(records))


def test_a_delimiter_made_at_the_border_is_refused():
    with pytest.raises(RecordError):
        b"".join(Format(SDF).encode(["x\n$$$$", "y"]))


def test_a_record_of_another_type_is_named_by_index():
    with pytest.raises(RecordError, match=r"record 2 is 3 of type int"):
        b"".join(Format().encode(["a", "b", 3]))
    with pytest.raises(RecordError, match=r"record 0 .*encoding=None"):
        b"".join(Format().encode([b"a"]))


def test_what_an_encoding_lacks_is_named_by_index():
    with pytest.raises(RecordError, match=r"record 3 cannot be written in latin-1"):
        b"".join(Format(encoding="latin-1").encode(["a", "b", "\xe9", "\u0416"]))


def test_bytes_that_are_not_of_the_encoding_are_an_error_with_a_way_out():
    with pytest.raises(RecordError, match=r"not utf-8.*output_encoding=None"):
        list(Format().decode([b"ok\n\xff\n"]))
    assert list(Format(errors="replace").decode([b"\xff\n"])) == ["\ufffd"]


def test_a_frame_cut_short_is_an_error():
    with pytest.raises(RecordError, match=r"record 1 is cut short"):
        list(Format(encoding=None, framing="length").decode([b"\0\0\0\1a\0\0\0\5ab"]))


def test_one_record_of_many_blocks_takes_time_in_proportion():
    # 64 MiB without a delimiter: joined once, not once a block.
    blocks = [b"x" * (1 << 16)] * 1024
    (record,) = Format(b"ab", None).decode(blocks)
    assert len(record) == 1 << 26


@pytest.mark.parametrize(
    "wrong",
    [
        {"delimiter": ""},
        {"delimiter": 3},
        {"encoding": "utf-9"},
        {"framing": "lines"},
        {"errors": "whatever"},
    ],
)
def test_wrong_formats_are_refused(wrong):
    with pytest.raises(UsageError):
        Format(**wrong)


def test_batches_are_bounded_by_bytes_not_by_count():
    big = (b"x" * (1 << 20) for _ in range(40))
    blocks = list(Format(encoding=None).encode(iter(big)))
    assert max(map(len, blocks)) < 4 << 20
    small = Format(encoding=None).encode([b"ab"] * 100_000)
    assert len(list(small)) < 20


def test_no_framing_hands_bytes_on_as_they_are():
    form = Format(encoding=None, framing="none")
    assert b"".join(form.encode([b"a\n", bytearray(b"b")])) == b"a\nb"
    assert list(form.decode([b"a\n", b"b"])) == [b"a\n", b"b"]
    with pytest.raises(RecordError, match="record 1 "):
        list(form.encode([b"a", "b"]))
    with pytest.raises(UsageError, match="encoding=None"):
        Format(framing="none")
