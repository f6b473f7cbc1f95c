"""The Hadoop and Spark settings of a node, before the cluster's own Configurations (pure).

Names and paths follow EMR 7 (Hadoop 3.4.2, Spark 3.5.6); sizes suit several nodes on one laptop.
"""

from typing import Any

NODE_MEMORY_MB = 3072
NODE_VCORES = 4
NAMENODE_PORT = 8020
NAMENODE_HTTP_PORT = 9870
RESOURCEMANAGER_PORT = 8032
RESOURCEMANAGER_HTTP_PORT = 8088

SMALL_JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"

Properties = dict[str, str]


def default_settings(provision: dict[str, Any]) -> dict[str, Properties]:
    """Classification (EMR's name of a settings file) → its properties, for this cluster.

    ``provision`` is the document described in ``emr_node.provision``.
    """
    primary = provision["primary_host"]
    return {
        "core-site": {
            "fs.defaultFS": f"hdfs://{primary}:{NAMENODE_PORT}",
            "hadoop.tmp.dir": "/mnt/var/lib/hadoop/tmp",
            **_s3(provision),
        },
        "hdfs-site": _hdfs(),
        "yarn-site": _yarn(primary),
        "capacity-scheduler": {
            "yarn.scheduler.capacity.root.queues": "default",
            "yarn.scheduler.capacity.root.default.capacity": "100",
            "yarn.scheduler.capacity.maximum-am-resource-percent": "0.8",
        },
        "mapred-site": {"mapreduce.framework.name": "yarn"},
        "spark-defaults": _spark(),
        "hadoop-env": {"JAVA_HOME": "/usr/lib/jvm/jre-17"},
        "yarn-env": {},
        "spark-env": {
            "JAVA_HOME": "/usr/lib/jvm/jre-17",
            "SPARK_HOME": "/usr/lib/spark",
            "SPARK_LOG_DIR": "/var/log/spark",
            "HADOOP_HOME": "/usr/lib/hadoop",
            "HADOOP_CONF_DIR": "/etc/hadoop/conf",
            "YARN_CONF_DIR": "/etc/hadoop/conf",
            "PYSPARK_PYTHON": "/usr/bin/python3",
        },
        "spark-log4j2": _spark_log4j2(),
    }


def _s3(provision: dict[str, Any]) -> Properties:
    """s3:// by Hadoop's S3A, where EMR has EMRFS: one scheme, the cluster's own endpoint."""
    endpoint = provision["s3_endpoint"]
    return {
        "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "fs.s3n.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.s3a.S3A",
        "fs.s3a.aws.credentials.provider": (
            "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider"
        ),
        "fs.s3a.access.key": provision["access_key"],
        "fs.s3a.secret.key": provision["secret_key"],
        "fs.s3a.endpoint": endpoint,
        "fs.s3a.endpoint.region": provision["region"],
        "fs.s3a.path.style.access": "true",
        "fs.s3a.connection.ssl.enabled": str(endpoint.startswith("https:")).lower(),
        "fs.s3a.buffer.dir": "/mnt/s3",
        "fs.s3.buffer.dir": "/mnt/s3",
    }


def _hdfs() -> Properties:
    return {
        "dfs.replication": "1",
        "dfs.namenode.name.dir": "file:///mnt/namenode",
        "dfs.datanode.data.dir": "file:///mnt/hdfs",
        "dfs.permissions.superusergroup": "hdfsadmingroup",
        # Container addresses have no reverse name that the NameNode could check.
        "dfs.namenode.datanode.registration.ip-hostname-check": "false",
    }


def _yarn(primary: str) -> Properties:
    memory, cores = str(NODE_MEMORY_MB), str(NODE_VCORES)
    return {
        "yarn.resourcemanager.hostname": primary,
        "yarn.nodemanager.address": "0.0.0.0:8041",
        "yarn.nodemanager.local-dirs": "/mnt/yarn",
        "yarn.nodemanager.log-dirs": "/var/log/hadoop-yarn/containers",
        "yarn.nodemanager.remote-app-log-dir": "/var/log/hadoop-yarn/apps",
        "yarn.log-aggregation-enable": "true",
        # EMR's value: local container logs stay for the upload to LogUri.
        "yarn.log-aggregation.enable-local-cleanup": "false",
        "yarn.nodemanager.resource.memory-mb": memory,
        "yarn.nodemanager.resource.cpu-vcores": cores,
        "yarn.scheduler.minimum-allocation-mb": "128",
        "yarn.scheduler.maximum-allocation-mb": memory,
        "yarn.scheduler.maximum-allocation-vcores": cores,
        # Java reserves far more than it uses, and a container's limits are the host's here.
        "yarn.nodemanager.vmem-check-enabled": "false",
        "yarn.nodemanager.pmem-check-enabled": "false",
        # The disk is the host's: a laptop at 91 % is not a bad disk.
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "99",
        # A container is given out at a node's heartbeat, and a small job waits for several.
        "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": "250",
        # Nodes start together: half a minute between two tries would be the start-up time.
        "yarn.resourcemanager.connect.retry-interval.ms": "500",
        "yarn.application.classpath": (
            "/etc/hadoop/conf,/usr/lib/hadoop/lib/*,/usr/share/aws/aws-java-sdk-v2/*"
        ),
    }


def _spark() -> Properties:
    return {
        "spark.master": "yarn",
        "spark.submit.deployMode": "client",
        "spark.driver.memory": "512m",
        "spark.executor.memory": "512m",
        # As EMR has it on four virtual cores: one executor fills a node's cores, and up to three
        # fit into its memory.
        "spark.executor.cores": str(NODE_VCORES),
        "spark.yarn.am.memory": "512m",
        # A quarter less processor time for a small job than with the optimising compiler.
        "spark.driver.defaultJavaOptions": SMALL_JVM,
        "spark.executor.defaultJavaOptions": SMALL_JVM,
        "spark.yarn.am.extraJavaOptions": SMALL_JVM,
        "spark.yarn.jars": "local:/usr/lib/spark/jars/*",
        # As on EMR, but shuffle files are tracked: the node has no external shuffle service.
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": "hdfs:///var/log/spark/apps",
        "spark.hadoop.yarn.timeline-service.enabled": "false",
    }


def _spark_log4j2() -> Properties:
    return {
        "rootLogger.level": "info",
        "rootLogger.appenderRef.stderr.ref": "console",
        "appender.console.type": "Console",
        "appender.console.name": "console",
        "appender.console.target": "SYSTEM_ERR",
        "appender.console.layout.type": "PatternLayout",
        "appender.console.layout.pattern": "%d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex",
    }
