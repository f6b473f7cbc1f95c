"""Join two FASTQ files into one line per pair of reads, so that Spark may split at any line.

python3 pair_reads.py READS_1.fq READS_2.fq > PAIRS.tsv
"""

import sys
from collections.abc import Iterator
from itertools import zip_longest

LINES_PER_READ = 4


def pairs(first: Iterator[str], second: Iterator[str]) -> Iterator[str]:
    """Yield a line for each pair: the 4 lines of the first read, then the 4 of the second.

    Raises ValueError when one file ends before the other or within a read.
    """
    both = zip_longest(first, second)
    for number, read in enumerate(zip_longest(*[both] * LINES_PER_READ), start=1):
        if any(lines is None or None in lines for lines in read):
            raise ValueError(f"pair {number} is not complete: the files differ in length")
        yield "\t".join(line.rstrip("\n") for side in zip(*read) for line in side)


def main(argv: list[str]) -> int:
    if len(argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with open(argv[0]) as first, open(argv[1]) as second:
        try:
            for line in pairs(first, second):
                print(line)
        except ValueError as error:
            print(f"pair_reads.py: {argv[0]}, {argv[1]}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
