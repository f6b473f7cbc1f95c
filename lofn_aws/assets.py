"""Where the files that run on nodes are: in the wheel, else beside the package in a checkout."""

from pathlib import Path
from typing import Literal

from lofn_aws.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent


def asset_dir(kind: Literal["bootstrap", "steps"]) -> Path:
    """Return the folder of the bootstrap or step scripts. Raises UsageError if it is missing."""
    for folder in (_PACKAGE / "_assets" / kind, _PACKAGE.parent / kind):
        if folder.is_dir():
            return folder
    raise UsageError(
        f"the installation lacks its {kind} scripts ({_PACKAGE})",
        "pip install --force-reinstall lofn-aws",
    )
