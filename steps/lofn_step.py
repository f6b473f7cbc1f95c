"""The generic step: ``spark-submit lofn_step.py map|reduce ...`` is ``python -m lofn ...``."""

import sys

from lofn.__main__ import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
