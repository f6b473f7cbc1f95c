from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lofn.command import build, decode
from lofn.errors import UsageError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"awk '{print \$1}'", "awk '{print $1}'"),
        (r"echo \`date\`", "echo `date`"),
        (r"echo \"a b\"", 'echo "a b"'),
        (r"tr ' ' '\\n'", r"tr ' ' '\n'"),
        (r"printf 'a\tb\n'", r"printf 'a\tb\n'"),
        (r"echo \\\$x", r"echo \$x"),
        ("one \\\ntwo", "one two"),
        ("echo $HOME", "echo $HOME"),
    ],
)
def test_escapes_of_a_host_shell_are_undone(written, meant):
    assert decode(written) == meant


# What a shell would expand or end the quotes at is left out: decode() expands nothing.
@settings(deadline=None)
@given(st.text(st.characters(exclude_characters='"`$\0', exclude_categories=("Cs",))))
def test_decode_is_what_sh_does_inside_double_quotes(text):
    if text.endswith("\\") and (len(text) - len(text.rstrip("\\"))) % 2:
        text += " "
    said = subprocess.run(
        ["sh", "-c", f'printf %s "{text}"'], capture_output=True, check=True
    ).stdout
    assert decode(text).encode() == said


def test_a_list_is_the_exact_argv():
    words = ["printf", "%s|", "a b", "it's", "$HOME", "", "a\nb", "*"]
    built = build(words)
    said = subprocess.run(["sh", "-c", built.script], capture_output=True, check=True).stdout
    assert said.decode() == "a b|it's|$HOME||a\nb|*|"
    assert built.argv == tuple(words)


@pytest.mark.parametrize("wrong", ["", "  ", [], [""], [1], 7, None, "a\0b", ["a\0"], {"a"}])
def test_what_is_no_command_is_refused(wrong):
    with pytest.raises(UsageError):
        build(wrong)
