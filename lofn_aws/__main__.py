"""``python -m lofn_aws``: the command line."""

from lofn_aws.cli import main

if __name__ == "__main__":
    main()
