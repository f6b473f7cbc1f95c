"""What install-applications writes on a node, from the documents that the service gives it."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from lofn_aws.sandbox.image_context import IMAGE_DIR

sys.path.insert(0, str(IMAGE_DIR / "rootfs/usr/libexec/emr"))

from emr_node import render, settings

PROVISION = {
    "role": "core",
    "primary_host": "ip-172-31-0-10.ec2.internal",
    "primary_ip": "172.31.0.10",
    "hosts": ["ip-172-31-0-10.ec2.internal"],
    "cluster_id": "j-1",
    "region": "us-east-1",
    "s3_endpoint": "http://172.31.0.1:5000",
    "access_key": "key",
    "secret_key": "secret",
    "configurations": [],
    "applications": ["Spark"],
}


def written(configurations):
    return render.files(render.merged(settings.default_settings(PROVISION), configurations))


def properties(text):
    return {item[0].text: item[1].text for item in ET.fromstring(text)}


def test_every_file_is_written_and_the_cluster_is_named_in_it():
    files = written([])
    assert set(files) == set(render.FILES.values())
    core = properties(files["/etc/hadoop/conf/core-site.xml"])
    assert core["fs.defaultFS"] == "hdfs://ip-172-31-0-10.ec2.internal:8020"
    assert core["fs.s3a.endpoint"] == "http://172.31.0.1:5000"
    assert core["fs.s3a.connection.ssl.enabled"] == "false"
    assert "spark.master yarn\n" in files["/etc/spark/conf/spark-defaults.conf"]


def test_configurations_go_over_the_defaults_property_by_property():
    files = written(
        [
            {"Classification": "spark-defaults", "Properties": {"spark.executor.memory": "1g"}},
            {"Classification": "hdfs-site", "Properties": {"dfs.blocksize": "1m", "a": "<&>"}},
        ]
    )
    spark = files["/etc/spark/conf/spark-defaults.conf"]
    assert "spark.executor.memory 1g\n" in spark
    assert "spark.executor.memory 512m" not in spark
    assert "spark.driver.memory 512m\n" in spark
    hdfs = properties(files["/etc/hadoop/conf/hdfs-site.xml"])
    assert hdfs["dfs.blocksize"] == "1m"
    assert hdfs["a"] == "<&>"
    assert hdfs["dfs.replication"] == "1"


def test_environment_comes_from_the_nested_export_and_survives_a_shell():
    value = "a b'c$HOME"
    export = {"Classification": "export", "Properties": {"DOCKER_CONFIG": value}}
    files = written([{"Classification": "spark-env", "Properties": {}, "Configurations": [export]}])
    script = files["/etc/spark/conf/spark-env.sh"] + 'printf %s "$DOCKER_CONFIG"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == value


def test_a_classification_without_a_file_is_refused_by_name():
    with pytest.raises(ValueError, match="unknown classification 'presto-config'; this node has"):
        written([{"Classification": "presto-config", "Properties": {"a": "b"}}])


def test_the_defaults_are_not_changed_by_a_merge():
    defaults = settings.default_settings(PROVISION)
    changed = {"Classification": "core-site", "Properties": {"fs.defaultFS": "x"}}
    render.merged(defaults, [changed])
    assert defaults["core-site"]["fs.defaultFS"].startswith("hdfs://")
