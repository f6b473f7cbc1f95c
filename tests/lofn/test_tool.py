"""The modern surface: one value through which RDDs and DataFrames are sent."""

from __future__ import annotations

import datetime
import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from lofn import frames
from lofn.errors import ContainerFailed, UsageError
from lofn.tool import Tool

pytestmark = [pytest.mark.spark, pytest.mark.docker]

IMAGE = "lofn-tests/sh"
ROWS = [(1, "a", 1.5), (2, 'b "c", d', None), (3, "", -0.0), (4, "ö\t|", 1e300)]
SCHEMA = "n long, name string, x double"


def copy(form: str, **rest: Any) -> Tool:
    return Tool(
        IMAGE, ["cp", f"/shared/input.{form}", f"/shared/output.{form}"], network="none", **rest
    )


@pytest.fixture(autouse=True)
def _made(sh_image: str) -> None:
    assert sh_image == IMAGE


@pytest.fixture
def session(sc: Any) -> Any:
    from pyspark.sql import SparkSession

    return SparkSession(sc)


def test_rdds_of_text_and_bytes(sc: Any) -> None:
    upper = Tool(IMAGE, "tr a-z A-Z < /shared/input.txt > /shared/output.txt", network="none")
    assert upper.map(sc.parallelize(["a", "b"], 2)).collect() == ["A", "B"]
    raw = upper.map(sc.parallelize([b"a\xff\n"], 1), encoding=None, delimiter=b"|")
    assert raw.collect() == [b"A\xff\n"]
    total = Tool(IMAGE, "sort < /shared/input.txt > /shared/output.txt", network="none")
    assert total.reduce(sc.parallelize("cab", 3), fan_in=3) == ["a", "b", "c"]


def test_volumes_and_time_limits_are_the_tools(sc: Any, tmp_path: Path) -> None:
    (tmp_path / "name").write_text("lambda\n")
    look = Tool(
        IMAGE,
        "cp /ref/name /shared/output.txt",
        volumes={str(tmp_path): {"bind": "/ref"}},
        network="none",
    )
    assert look.map(sc.parallelize("x", 1)).collect() == ["lambda"]
    with pytest.raises(ContainerFailed, match=r"longer than timeout=0\.5 s"):
        Tool(IMAGE, "sleep 60", timeout=0.5, network="none").map(sc.parallelize("x", 1)).count()


@pytest.mark.parametrize("form", frames.FORMS)
def test_rows_come_back_as_they_were(session: Any, form: str) -> None:
    frame = session.createDataFrame(ROWS, SCHEMA).repartitionByRange(3, "n")
    back = copy(form).map_rows(frame, SCHEMA, form=form)
    same = [(n, None if form == "csv" and not name else name, x) for n, name, x in ROWS]
    assert [tuple(row) for row in back.orderBy("n").collect()] == same


def test_csv_with_header_and_other_columns(session: Any) -> None:
    frame = session.createDataFrame(
        [(i, f"n{i}") for i in range(20)], "id int, `first,name` string"
    )
    count = Tool(
        IMAGE,
        "head -n 1 /shared/input.csv > /shared/output.csv; "
        "sed 1d /shared/input.csv | awk -F, '{print $1 \",\" $2 $2}' >> /shared/output.csv",
        network="none",
    )
    made = count.map_rows(frame.repartition(4), "id int, twice string", header=True)
    assert sorted(map(tuple, made.collect())) == [(i, f"n{i}n{i}") for i in range(20)]


def test_rows_that_do_not_parse_fail(session: Any) -> None:
    frame = session.createDataFrame([(1,)], "n int")
    words = Tool(IMAGE, "echo word > /shared/output.csv", network="none")
    with pytest.raises(Exception, match=r"(?i)malformed"):
        words.map_rows(frame, "n int").collect()


def test_dates_nulls_and_nested_rows_in_parquet(session: Any) -> None:
    rows = [(datetime.date(2026, 11, 21), [1, 2], {"k": "v"}), (None, None, None)]
    schema = "day date, list array<int>, map map<string,string>"
    frame = session.createDataFrame(rows, schema).coalesce(1)
    back = copy("parquet").map_rows(frame, schema, form="parquet").collect()
    assert sorted(map(tuple, back), key=str) == sorted(rows, key=str)


def test_empty_partitions_start_nothing(session: Any) -> None:
    frame = session.createDataFrame([], SCHEMA).repartition(3)
    failing = Tool(IMAGE, "exit 1", network="none")
    for form in frames.FORMS:
        assert failing.map_rows(frame, SCHEMA, form=form, header=form == "csv").collect() == []


def test_a_file_of_another_form_is_said_to_be_none(session: Any) -> None:
    frame = session.createDataFrame([(1,)], "n int")
    for form in ("parquet", "arrow"):
        text = Tool(IMAGE, f"echo text > /shared/output.{form}", network="none")
        with pytest.raises(Exception, match=f"output.{form} is no {form} file"):
            text.map_rows(frame, "n int", form=form).collect()


def test_wrong_forms_and_missing_packages_are_one_sentence(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = session.createDataFrame([(1,)], "n int")
    with pytest.raises(UsageError, match="one of csv, parquet, arrow, not 'json'"):
        copy("json").map_rows(frame, "n int", form="json")
    with pytest.raises(UsageError, match="header=True is for form='csv'"):
        copy("arrow").map_rows(frame, "n int", form="arrow", header=True)
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pyarrow" else real(name)
    )
    with pytest.raises(UsageError) as refused:
        copy("arrow").map_rows(frame, "n int", form="arrow")
    assert f"pyarrow is not installed on {os.uname().nodename}: run `pip install" in str(
        refused.value
    )


@pytest.mark.parametrize("form", frames.FORMS)
def test_a_failing_command_raises_the_engines_exception(session: Any, form: str) -> None:
    frame = session.createDataFrame([(1,)], "n long")
    failing = Tool(IMAGE, "echo no licence >&2; exit 3", network="none")
    with pytest.raises(ContainerFailed) as caught:
        failing.map_rows(frame, "n long", form=form).collect()
    assert caught.value.failure.exit_code == 3
    assert "no licence" in caught.value.failure.stderr
