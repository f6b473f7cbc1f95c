"""The command line: parses, calls a workflow, renders; click lives here alone."""

from lofn_aws.cli.main import main

__all__ = ["main"]
