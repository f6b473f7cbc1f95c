"""The earlier lofn's handling of a partition's temporary files, kept for scripts that import it."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lofn import hdfs
from lofn.base import tmp

Contents = Mapping[str, Any]


class UDF:
    """Write what a user's function makes of a partition, or of a pair, to a folder.

    The function returns a dictionary of file name: contents, where contents are lines (any
    iterable), or one string or bytes to be written as they are.
    """

    def __init__(
        self,
        temporary_directory: str,
        user_function: Callable[..., Contents],
        **kwargs: Any,
    ) -> None:
        """Take map's ``partition`` or reduce's ``left`` and ``right`` as keyword arguments."""
        unknown = set(kwargs) - {"partition", "left", "right"}
        if unknown:
            raise TypeError(f"UDF takes partition=, or left= and right=, not {sorted(unknown)}")
        self.temporary_directory = temporary_directory
        self.user_function = user_function
        self.inputs = kwargs

    def map_udf(self) -> None:
        """Unpack the partition into the files that the function names."""
        self.write_temp_files(self.user_function(self.inputs["partition"]))

    def reduce_udf(self) -> None:
        """Unpack the pair of partitions into the files that the function names."""
        self.write_temp_files(self.user_function(self.inputs["left"], self.inputs["right"]))

    def write_temp_files(self, inner_partitions: Contents) -> None:
        """Write each entry to the file of its name in the folder."""
        for name, contents in inner_partitions.items():
            path = os.path.join(self.temporary_directory, name)
            if isinstance(contents, str):
                tmp.write_binary_to_temp_file(contents.encode(), path)
            elif isinstance(contents, (bytes, bytearray)):
                tmp.write_binary_to_temp_file(bytes(contents), path)
            else:
                tmp.write_to_temp_file(contents, path)


def handle_binary(
    origin_directory: str, destination_directory: str, input_path: str, master_type: str
) -> str:
    """Move one output file to the folder of all outputs, remove its own folder, return its path.

    ``destination_directory`` is in HDFS when ``master_type`` starts with "yarn", else local.
    """
    name = f"{uuid.uuid4().hex}-{os.path.basename(input_path)}"
    path = os.path.join(destination_directory, name)
    if master_type.startswith("yarn"):
        hdfs.put(input_path, path)
    else:
        shutil.move(input_path, path)
    shutil.rmtree(origin_directory)
    return path


def read_back(shared_dir: str, output_file: str) -> Iterable[str]:
    """Return the lines of the output file and remove its folder."""
    with open(os.path.join(shared_dir, output_file), encoding="utf-8", newline="\n") as file:
        lines = file.read().split("\n")
    shutil.rmtree(shared_dir)
    return lines[:-1] if lines and not lines[-1] else lines


def read_binary(shared_dir: str, output_file: str) -> bytes:
    """Return the bytes of the output file and remove its folder."""
    with open(os.path.join(shared_dir, output_file), "rb") as file:
        data = file.read()
    shutil.rmtree(shared_dir)
    return data
