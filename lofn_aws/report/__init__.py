"""What a person or a program reads: progress on stderr, data on stdout."""
