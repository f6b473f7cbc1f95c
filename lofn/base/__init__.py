"""The earlier lofn's helpers for HDFS and temporary files, kept for scripts that import them."""
