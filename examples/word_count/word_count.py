"""Count the words of a text: each partition in a container, then the counts summed in others."""

import argparse

from pyspark import SparkConf, SparkContext

from lofn.api import DockerPipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input", help="a text, such as hdfs:///texts/pride_and_prejudice.txt")
    parser.add_argument("output", help="the folder to write; it must not exist yet")
    parser.add_argument("--image", default="localhost:5000/word-count")
    parser.add_argument("--partitions", type=int, default=8)
    options = parser.parse_args()

    conf = SparkConf().setAppName("word count")
    sc = SparkContext(conf=conf)
    pipe = DockerPipe(conf)

    counts_of_partitions = pipe.map(
        rdd=sc.textFile(options.input, options.partitions),
        image_name=options.image,
        command="count-words < /shared/input.txt > /shared/output.txt",
    )
    counts = pipe.reduce(
        rdd=counts_of_partitions,
        image_name=options.image,
        command="sum-counts < /shared/input.txt > /shared/output.txt",
    )
    sc.parallelize(counts, 1).saveAsTextFile(options.output)
    sc.stop()


if __name__ == "__main__":
    main()
