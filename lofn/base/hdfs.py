"""The earlier lofn's names for Hadoop's shell; `lofn.hdfs` does the work."""

from lofn.hdfs import get, mkdir_p, put, rm_r

__all__ = ["get", "mkdir_p", "put", "rm_r"]
