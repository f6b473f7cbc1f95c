"""The probe's report, and the probe itself on a local Spark."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lofn_aws.assets import asset_dir

SCRIPT = asset_dir("steps") / "probe.py"


@pytest.fixture(scope="module")
def probe() -> dict[str, Any]:
    """The script's names; it is no module of a package."""
    return runpy.run_path(str(SCRIPT))


def record(ip: str, problem: str | None = None) -> dict[str, Any]:
    return {"ip": ip, "problem": problem}


def test_summary_is_ok_only_when_every_node_reported_without_a_problem(
    probe: dict[str, Any],
) -> None:
    summarise = probe["summarise"]
    good = {"10.0.0.6": record("10.0.0.6"), "10.0.0.5": record("10.0.0.5")}
    report = summarise(["10.0.0.5", "10.0.0.6"], "image", good)
    assert report["ok"] is True
    assert [r["ip"] for r in report["nodes"]] == ["10.0.0.5", "10.0.0.6"]
    missing = summarise(["10.0.0.5", "10.0.0.7"], "image", good)
    assert (missing["ok"], missing["missing"]) == (False, ["10.0.0.7"])
    bad = {"10.0.0.5": record("10.0.0.5", "OSError: no docker")}
    assert summarise(["10.0.0.5"], "image", bad)["ok"] is False


def test_arguments(probe: dict[str, Any]) -> None:
    options = probe["parse_arguments"](["--nodes", "10.0.0.5,,10.0.0.6", "--image", "i"])
    assert options.nodes == ["10.0.0.5", "10.0.0.6"]
    with pytest.raises(SystemExit):
        probe["parse_arguments"](["--image", "i"])


def test_a_missing_docker_is_the_nodes_problem_and_no_traceback(
    probe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    found = probe["describe_node"]("10.0.0.5", "image")
    assert found["pulled"] is False
    assert "docker" in found["problem"]


@pytest.mark.docker
@pytest.mark.spark
def test_on_a_local_spark_it_reports_what_failed_and_who_is_missing(
    probe: dict[str, Any], tmp_path: Path
) -> None:
    """A real job: this machine reports, its pull fails without a registry, a node is missing."""
    here = probe["own_address"]()
    output = tmp_path / "report.json"
    words = ["--nodes", f"{here},10.255.255.1", "--image", "localhost:1/none"]
    words += ["--output", output.as_uri(), "--deadline", "1"]
    python = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    submit = [str(Path(sys.executable).with_name("spark-submit")), "--master", "local[2]"]
    done = subprocess.run(
        [*submit, str(SCRIPT), *words],
        env={**os.environ, **python, "SPARK_LOCAL_IP": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr[-2000:]
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("LOFN-PROBE ")
    report = json.loads(last.removeprefix("LOFN-PROBE "))
    assert report == json.loads(output.read_text())
    assert report["missing"] == ["10.255.255.1"]
    [node] = report["nodes"]
    assert (node["ip"], node["pulled"]) == (here, False)
    assert node["docker_version"]
    assert node["engine_version"]
    assert "localhost:1" in node["problem"]
