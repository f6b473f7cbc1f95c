"""Text files as RDDs of raw bytes and back, byte for byte, with any record delimiter.

``sc.textFile`` splits at carriage returns too and replaces what is not UTF-8. Spark SQL's text
source does neither when asked for binary, and it takes the delimiter as an option.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lofn.errors import UsageError

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import DataFrame, SparkSession


class InputMissing(UsageError):
    """Nothing to read at the path given."""


def list_files(spark: SparkSession, path: str) -> list[tuple[str, int]]:
    """List (URI, bytes) of the files at ``path``: a file, a folder's files, or a pattern's.

    Sorted by path; names that start with ``_`` or ``.`` are left out, as Spark does. Raises
    InputMissing with the file system's reason if there is none.
    """
    from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]

    context: Any = spark.sparkContext
    where = context._jvm.org.apache.hadoop.fs.Path(path)
    found: list[tuple[str, int]] = []
    try:
        system = where.getFileSystem(context._jsc.hadoopConfiguration())
        for status in system.globStatus(where) or ():
            children = system.listStatus(status.getPath()) if status.isDirectory() else (status,)
            found += [_named(child) for child in children if child.isFile()]
    except Py4JJavaError as error:
        reason = str(error.java_exception.getMessage()).splitlines()[0]
        raise InputMissing(f"the input {path} cannot be read: {reason}") from None
    files = sorted(file for file in found if file[0].rsplit("/", 1)[-1][:1] not in "_.")
    if not files:
        raise InputMissing(f"there is no file at the input {path}: correct the path")
    return files


def _named(status: Any) -> tuple[str, int]:
    return status.getPath().toString(), status.getLen()


def read_records(
    spark: SparkSession, path: str, delimiter: str = "\n", partitions: int | None = None
) -> RDD[bytes]:
    """Read the files at ``path`` into an RDD of records, in the order of names and offsets.

    ``partitions`` is how many there shall be about, where the files are large enough to be split;
    each non-empty file has at least one of its own. Raises InputMissing.
    """
    context = spark.sparkContext
    files = [file for file in list_files(spark, path) if file[1]]
    total = sum(size for _, size in files)
    wanted = partitions or context.defaultMinPartitions
    pieces: list[RDD[bytes]] = []
    with_settings = spark.newSession()  # so that the caller's own session keeps its settings
    for name, size in files:
        share = max(1, round(wanted * size / total))
        with_settings.conf.set("spark.sql.files.maxPartitionBytes", -(-size // share))
        with_settings.conf.set("spark.sql.files.openCostInBytes", 0)
        with_settings.conf.set("spark.sql.files.minPartitionNum", 1)
        frame = with_settings.read.option("lineSep", delimiter).text(_literal(name))
        pieces.append(as_bytes_rdd(frame))
    if not pieces:
        return context.emptyRDD()
    return context.union(pieces) if len(pieces) > 1 else pieces[0]


def as_bytes_rdd(frame: DataFrame) -> RDD[bytes]:
    """Give a DataFrame of one text column as an RDD of bytes, not decoded on the way."""
    from pyspark import RDD
    from pyspark.serializers import NoOpSerializer

    session: Any = frame.sparkSession
    binary: Any = frame.selectExpr(f"cast(`{frame.columns[0]}` as binary)")
    encoder = session._jvm.org.apache.spark.sql.Encoders.BINARY()
    raw = getattr(binary._jdf, "as")(encoder).toJavaRDD()
    return RDD(raw, session.sparkContext, NoOpSerializer())


def as_text_dataset(spark: SparkSession, records: RDD[bytes]) -> Any:
    """Give the JVM's Dataset of strings that have the bytes of the records, checked by nobody."""
    from pyspark.serializers import NoOpSerializer

    context: Any = spark.sparkContext
    encoders = context._jvm.org.apache.spark.sql.Encoders
    raw: Any = records.mapPartitions(iter)._reserialize(NoOpSerializer())
    session: Any = spark._jsparkSession
    frame = session.createDataset(raw._jrdd.rdd(), encoders.BINARY())
    text = frame.selectExpr(_strings(context, "cast(value as string) as value"))
    return getattr(text, "as")(encoders.STRING())


def _literal(path: str) -> str:
    """Escape what Spark would take for a pattern in a path."""
    return "".join("\\" + c if c in "*?[]{}\\" else c for c in path)


def write_records(
    spark: SparkSession, records: RDD[bytes], path: str, delimiter: str = "\n"
) -> None:
    """Write one file per partition into the new folder ``path``, each record ended by the
    delimiter. Raises Spark's own error if the folder exists or the job fails.
    """
    as_text_dataset(spark, records).write().option("lineSep", delimiter).text(path)


def _strings(context: Any, *values: str) -> Any:
    array = context._gateway.new_array(context._jvm.java.lang.String, len(values))
    for i, value in enumerate(values):
        array[i] = value
    return array
