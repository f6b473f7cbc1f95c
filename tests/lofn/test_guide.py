"""The user's guide is true: its code compiles, its arguments and messages exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import lofn
from lofn import api, arguments, metrics
from lofn.cli_arguments import parse
from lofn.errors import UsageError
from lofn.options import parse as parse_options
from lofn.tool import Tool

ROOT = Path(lofn.__file__).parent.parent
GUIDE = (ROOT / "docs" / "engine.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
TAKES = {
    "map": {**arguments.COMMON, **arguments.FORMATS, **api._MAP},
    "map_binary": {**arguments.COMMON, **arguments.FORMATS, **api._MAP_BINARY},
    "map_binary_rdd": {**arguments.COMMON, **arguments.FORMATS, **api._MAP_BINARY},
    "reduce": {**arguments.COMMON, **arguments.FORMATS, **api._REDUCE},
    "reduce_binary": {**arguments.COMMON, **api._REDUCE_BINARY},
    "DockerPipe": {**arguments.COMMON, **api._SELF},
    "Tool": Tool.__dataclass_fields__,
}
POSITIONAL = {"rdd", "image_name", "command"}


def calls(block: str) -> Iterator[tuple[str, set[str]]]:
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in TAKES and node.keywords:
                yield name, {str(word.arg) for word in node.keywords}


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_recipes_compile_and_their_arguments_exist(block: str) -> None:
    compile(block, "docs/engine.md", "exec")
    for name, given in calls(block):
        assert given <= set(TAKES[name]) | POSITIONAL, name


def test_every_method_has_a_recipe() -> None:
    used = {name for block in BLOCKS for name, _ in calls(block)}
    assert used == set(TAKES)


def test_the_messages_in_the_table_of_failures_are_the_engines() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "lofn").glob("*.py"))
    source = re.sub(r'"\s*\n\s*f?"', "", source)  # adjacent literals are one text
    for fragment in (
        "it was not found in the image",
        "the container ran out of memory",
        "ended well but did not write",
        "contains the delimiter",
        "changed after the job began",
        "ran longer than timeout=",
    ):
        assert fragment in GUIDE
        assert fragment in source, fragment
    for kind in re.findall(r"^\| `(\w+)`", GUIDE, re.MULTILINE):
        assert kind in source or kind in arguments.FORMATS, kind


def test_the_options_said_to_be_refused_are_refused() -> None:
    table = GUIDE[GUIDE.index("| option | why |") :].split("\n\n")[0]
    options = [o for line in table.splitlines() for o in re.findall(r"`(-[^`]+)`", line[:40])]
    assert len(options) == 12
    for option in options:
        with pytest.raises(UsageError, match="has no place here"):
            parse_options([option])


def test_the_counters_in_the_guide_are_the_engines() -> None:
    assert all(f"`{name}`" in GUIDE for name in metrics.NAMES)


def test_the_command_line_in_the_guide_parses() -> None:
    text = GUIDE[GUIDE.index("spark-submit lofn_step.py") :].split("```")[0]
    words = text.replace("\\\n", " ").split()[2:]
    words = [word.strip("'") for word in words]
    parsed = parse(words)
    assert parsed.delimiter == "\n$$$$\n"
    assert parsed.command[0] == "dock"
    assert (parsed.input_name, parsed.output_name) == ("input.sdf", "output.sdf")
    assert parsed.volumes == {"hdfs:///receptor": {"bind": "/receptor", "mode": "ro"}}
