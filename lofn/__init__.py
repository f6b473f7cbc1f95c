"""Run each partition of a Spark RDD through a command in a Docker container."""

__version__ = "0.1.0"
