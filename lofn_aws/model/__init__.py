"""Frozen values and their invariants; no I/O and no shapes of boto3."""
