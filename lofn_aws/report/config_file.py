"""The settings: as a commented lofn-aws.toml, and as a table with origins."""

from lofn_aws.config import Settings
from lofn_aws.report.tables import table
from lofn_aws.settings import SETTINGS

HEAD = """\
# Settings of lofn-aws. What is commented out shows the default.
# Stronger than this file: flags, and the environment (LOFN_AWS_ and the name in capitals).
# Weaker: ~/.config/lofn-aws/config.toml, then AWS's own configuration.
"""
FOOT = """
# A table [profiles.NAME] has settings that --profile NAME (or profile = "NAME") puts in force:
# [profiles.local]
# sandbox = true
"""


def commented_toml() -> str:
    """Return a lofn-aws.toml in which every setting is explained and commented out."""
    lines = [HEAD.rstrip()]
    group = ""
    for setting in SETTINGS:
        if not setting.in_file:
            continue
        if setting.group != group:
            group = setting.group
            lines += ["", f"# ---- {group} ----"]
        lines += [f"# {setting.help}", f"# {setting.name} = {_toml(setting.default)}"]
    return "\n".join(lines) + "\n" + FOOT


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return f'"{value or ""}"'


def settings_text(settings: Settings) -> str:
    """Return every setting with its value and where that is from."""
    rows = [
        (s.name, _shown(s.name, getattr(settings, s.name)), settings.origins[s.name])
        for s in SETTINGS
    ]
    return table(("setting", "value", "origin"), rows)


def settings_object(settings: Settings) -> dict[str, dict[str, object]]:
    """Return the same as JSON says it."""
    return {
        s.name: {"value": _shown(s.name, getattr(settings, s.name), none=None),
                 "origin": settings.origins[s.name]}
        for s in SETTINGS
    }


def _shown(name: str, value: object, none: object = "-") -> object:
    if value is None:
        return none
    return "(not shown)" if name == "secret_key" else value
