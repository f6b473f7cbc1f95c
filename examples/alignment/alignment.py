"""Align pairs of reads with gsnap against a reference in HDFS, and merge the BAM files."""

import argparse
import subprocess
from collections.abc import Iterable

from pyspark import SparkConf, SparkContext

from lofn.api import DockerPipe


def paired_fastq(pairs: Iterable[str]) -> dict[str, list[str]]:
    """Write a partition as two FASTQ files; a record is one pair, its 8 lines joined by tabs."""
    first: list[str] = []
    second: list[str] = []
    for pair in pairs:
        lines = pair.split("\t")
        first += lines[:4]
        second += lines[4:]
    return {"reads_1.fq": first, "reads_2.fq": second}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", help="what pair_reads.py wrote, such as hdfs:///reads/pairs.tsv")
    parser.add_argument("output", help="the BAM file to write, such as hdfs:///reads/pairs.bam")
    parser.add_argument("--reference", default="/reference", help="folder in HDFS with the index")
    parser.add_argument("--image", default="localhost:5000/alignment")
    parser.add_argument("--partitions", type=int, default=4)
    options = parser.parse_args()

    conf = SparkConf().setAppName("alignment")
    sc = SparkContext(conf=conf)
    volumes = {options.reference: {"bind": "/ref", "mode": "ro"}}
    pipe = DockerPipe(conf, volumes=volumes)

    with pipe.map_binary(
        rdd=sc.textFile(options.pairs, options.partitions),
        image_name=options.image,
        command="align-pairs /ref /shared/reads_1.fq /shared/reads_2.fq /shared/output.bin",
        map_udf=paired_fastq,
    ) as alignments:
        merged = pipe.reduce_binary(
            rdd=sc.binaryFiles(alignments, options.partitions),
            image_name=options.image,
            command="merge-alignments /shared/output.bin /shared/input_*.bin",
        )
    put = ["hdfs", "dfs", "-put", "-f", "-", options.output]
    subprocess.run(put, input=merged, check=True)
    sc.stop()


if __name__ == "__main__":
    main()
