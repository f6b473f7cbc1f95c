"""Imports point down only, and each outside library is imported in its one room."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# What each room of lofn_aws may import of lofn_aws; itself is always allowed.
ROOMS = {
    "errors": set(),
    "settings": {"errors"},
    "assets": {"errors"},
    "config": {"errors", "settings"},
    "model": {"errors", "config", "settings"},
    "plan": {"errors", "config", "settings", "model"},
    "facts": {"errors", "config", "settings", "model"},
    "report": {"errors", "config", "settings", "model"},
    "adapters": {"errors", "config", "settings", "model", "facts"},
    "sandbox": {"errors", "config", "settings", "model", "assets"},
    "workflows": {"errors", "config", "settings", "model", "assets", "plan", "facts", "report",
                  "adapters", "sandbox"},
    "cli": {"errors", "config", "settings", "model", "assets", "plan", "facts", "report",
            "adapters", "workflows", "sandbox"},
    "__main__": {"cli"},
}

# Which rooms of lofn_aws may import an outside library.
OUTSIDE = {
    "click": {"cli"},
    "boto3": {"adapters", "sandbox"},
    "botocore": {"adapters", "sandbox"},
    "fabric": {"adapters"},
    "paramiko": {"adapters"},
    "docker": {"adapters", "sandbox"},
    "moto": {"sandbox"},
    "rich": {"report"},
    "pyspark": set(),
}

# Spark and its bridge to the JVM; and what the surface on DataFrames needs: inside functions only.
SPARK = {"pyspark", "py4j"}
FRAMES_ONLY = {"pyarrow", "pandas", "numpy"}


def python_files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield every imported module, and whether the import runs when the module is imported."""
    tree = ast.parse(path.read_text())
    package = path.relative_to(ROOT).with_suffix("").parts
    inner = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef))
        or (isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.dump(outer.test))
        for node in ast.walk(outer)
    }
    for node in ast.walk(tree):
        at_import = id(node) not in inner
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, at_import
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield module, at_import
            for alias in node.names:  # `from lofn_aws import plan` imports a room as well
                if module in {"lofn_aws", "lofn"}:
                    yield f"{module}.{alias.name}", at_import


def room(path: Path) -> str:
    return path.relative_to(ROOT / "lofn_aws").parts[0].removesuffix(".py")


def wrong_imports(path: Path) -> list[str]:
    here = room(path)
    wrong = []
    for module, _ in imports(path):
        parts = module.split(".")
        if parts[0] == "lofn":
            wrong.append(f"{module}: the toolkit never imports the engine")
        if parts[0] == "lofn_aws" and len(parts) > 1:
            target = parts[1]
            if target in ROOMS and target != here and target not in ROOMS.get(here, set()):
                wrong.append(f"{module}: {here} may not import {target}")
        if parts[0] in OUTSIDE and here not in OUTSIDE[parts[0]]:
            wrong.append(f"{module}: not in {here}")
    return wrong


@pytest.mark.parametrize("path", python_files("lofn_aws"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_toolkits_imports_point_down(path: Path) -> None:
    if path.name == "__init__.py" and path.parent == ROOT / "lofn_aws":
        assert not [m for m, _ in imports(path) if m.startswith("lofn")]
        return
    assert room(path) in ROOMS, f"{room(path)} is a room without a rule"
    assert wrong_imports(path) == []


def test_a_wrong_arrow_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: a planner that imports an adapter is named."""
    bad = tmp_path / "lofn_aws" / "plan" / "bad.py"
    bad.parent.mkdir(parents=True)
    bad.write_text("from ..adapters import emr\nimport boto3\ndef f():\n    import lofn.api\n")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert len(wrong_imports(bad)) == 3


@pytest.mark.parametrize("path", python_files("lofn"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_engine_imports_the_standard_library_alone(path: Path) -> None:
    import sys

    for module, at_import in imports(path):
        top = module.split(".")[0]
        if top in {"lofn", "__future__"} or top in sys.stdlib_module_names:
            continue
        assert top in SPARK or top in FRAMES_ONLY, f"{path.name} imports {module}"
        assert not at_import, f"{path.name} imports {module} outside a function"


def test_the_sandbox_is_imported_when_it_is_asked_for_only() -> None:
    """No module of the toolkit imports the sandbox at its own import."""
    for path in python_files("lofn_aws"):
        if "sandbox" in path.relative_to(ROOT / "lofn_aws").parts[:1]:
            continue
        for module, at_import in imports(path):
            assert not (at_import and module.startswith("lofn_aws.sandbox")), path
