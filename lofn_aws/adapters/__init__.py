"""The only rooms that do I/O: AWS, SSH, Docker and the clock."""
