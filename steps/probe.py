"""Prove on every worker node that an executor can use Docker, the engine and the registry.

``spark-submit probe.py --nodes 10.0.0.6,10.0.0.7 --image localhost:5000/NAME [--output s3://...]``

Tasks run until one has reported from each of the nodes (private IPv4 addresses) or the deadline
has passed. The driver's last line on stdout is ``LOFN-PROBE {json}``, and the same JSON goes to
``--output`` (any URI that Hadoop can write). Exit code 0 when every node reported and is in order,
else 1.
"""

import argparse
import json
import os
import platform
import pwd
import socket
import subprocess
import sys
import time

MARK = "LOFN-PROBE "
TASK_SECONDS = 0.3  # long enough that one quick executor does not take every task of a round
DOCKER_SECONDS = 60.0


def main(argv):
    """Run the probe as the Spark driver; return the exit code."""
    options = parse_arguments(argv)
    from pyspark import SparkConf, SparkContext

    # Small executors, at first one per node: the probe takes little even from a busy cluster.
    conf = SparkConf().setAppName("lofn-probe").set("spark.executor.cores", "1")
    conf.set("spark.executor.instances", str(len(options.nodes)))
    conf.set("spark.executor.memory", "512m")
    with SparkContext(conf=conf) as sc:
        sc.setLogLevel("WARN")
        records = collect(sc, options.nodes, options.image, options.deadline)
        report = summarise(options.nodes, options.image, records)
        text = json.dumps(report, sort_keys=True)
        if options.output:
            write_text(sc, options.output, text)
    print(MARK + text, flush=True)
    return 0 if report["ok"] else 1


def parse_arguments(argv):
    """Read the command line: ``nodes`` becomes a list of addresses, ``deadline`` is in seconds."""
    parser = argparse.ArgumentParser(prog="probe.py", description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", required=True, type=split_commas)
    parser.add_argument("--image", required=True, help="pulled on each node")
    parser.add_argument("--output", help="URI of the JSON report")
    parser.add_argument("--deadline", type=float, default=120.0, help="seconds (default 120)")
    return parser.parse_args(argv)


def split_commas(text):
    """Return the non-empty parts of a comma-separated list."""
    return [part for part in text.split(",") if part]


def collect(sc, nodes, image, deadline_seconds):
    """Run rounds of tasks until each node has reported; return {address: record}.

    YARN may put two executors on one node, so each round that leaves a node out asks for one
    executor more: the full nodes fill up, and the rest comes to the missing one.
    """
    records = {}
    until = time.monotonic() + deadline_seconds
    while True:
        tasks = 2 * len(nodes)
        probe = probe_task(image, sorted(records))
        for record in sc.parallelize(range(tasks), tasks).mapPartitions(probe).collect():
            records.setdefault(record["ip"], record)
        if set(nodes) <= set(records) or time.monotonic() > until:
            return records
        sc._jsc.sc().requestExecutors(1)
        time.sleep(1)


def probe_task(image, known):
    """Return the function of one partition: a record of this node, unless it is known already."""

    def run(_partition):
        started = time.monotonic()
        ip = own_address()
        if ip not in known:
            yield describe_node(ip, image)
        time.sleep(max(0.0, TASK_SECONDS - (time.monotonic() - started)))

    return run


def describe_node(ip, image):
    """Return this node's record; ``problem`` is None or one sentence on what failed first."""
    record = {
        "ip": ip,
        "host": socket.gethostname(),
        "user": pwd.getpwuid(os.geteuid()).pw_name,
        "python": platform.python_version(),
        "engine_version": None,
        "docker_version": None,
        "pulled": False,
        "problem": None,
    }
    try:
        record["engine_version"] = engine_version()
        record["docker_version"] = docker("version", "--format", "{{.Server.Version}}")
        docker("pull", "--quiet", image)
        record["pulled"] = True
    except (ImportError, OSError, RuntimeError, subprocess.TimeoutExpired) as error:
        record["problem"] = f"{type(error).__name__}: {error}"
    return record


def engine_version():
    """Return the version of the engine that this worker's interpreter imports."""
    import lofn

    return lofn.__version__


def docker(*arguments):
    """Run Docker's client; return what it printed, or raise RuntimeError with what it said."""
    done = subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        check=False,
        text=True,
        timeout=DOCKER_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"docker {arguments[0]} failed")
    return done.stdout.strip()


def own_address():
    """Return the IPv4 address that this node is reached by (no packet is sent)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # a documentation address: only its route is looked up
        return probe.getsockname()[0]


def summarise(nodes, image, records):
    """Return the report: a record per node, what is missing, and whether all is in order."""
    missing = sorted(set(nodes) - set(records))
    failed = [ip for ip, record in records.items() if record["problem"]]
    return {
        "ok": not missing and not failed,
        "image": image,
        "nodes": [records[ip] for ip in sorted(records)],
        "missing": missing,
    }


def write_text(sc, uri, text):
    """Write ``text`` to any URI that the cluster's Hadoop can write, over what is there."""
    path = sc._jvm.org.apache.hadoop.fs.Path(uri)
    filesystem = path.getFileSystem(sc._jsc.hadoopConfiguration())
    stream = filesystem.create(path, True)
    try:
        stream.write(bytearray(text, "utf-8"))
    finally:
        stream.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
