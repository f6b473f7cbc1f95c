"""Install the applications on this node: users, settings, commands, daemons, in EMR's order.

The document that says what to install (JSON; written by the sandbox's service):
``role`` primary|core|task, ``primary_host``, ``primary_ip``, ``hosts`` (all host names),
``cluster_id``, ``region``, ``s3_endpoint``, ``access_key``, ``secret_key``,
``configurations`` (EMR Configuration objects), ``applications`` (names).
"""

import os
import shutil
from typing import Any

from emr_node import daemons, render, settings, system
from emr_node.aws_files import write_aws_files

HADOOP_COMMANDS = ("hadoop", "hdfs", "yarn")
SPARK_COMMANDS = ("spark-submit", "pyspark", "spark-shell", "spark-sql")
BAKED_NAMENODE = "/usr/lib/hadoop/namenode"
DAEMONS_DEADLINE_SECONDS = 150


def install(document: dict[str, Any]) -> None:
    """Do it all; running it again changes nothing. Raises ProvisionError or ValueError."""
    wanted = render.merged(settings.default_settings(document), document["configurations"])
    _users(document)
    _folders()
    for path, text in render.files(wanted).items():
        system.write(path, text)
    shutil.copy("/usr/lib/hadoop/share/log4j.properties", "/etc/hadoop/conf/log4j.properties")
    _commands(document["applications"])
    if document["role"] == "primary":
        _namenode_folder()
    units = daemons.start(document["role"])
    daemons.wait(document["role"], document["primary_host"], units, DAEMONS_DEADLINE_SECONDS)


def _users(document: dict[str, Any]) -> None:
    system.make_group("hdfsadmingroup")
    homes = {
        "hdfs": "/var/lib/hadoop-hdfs",
        "yarn": "/var/lib/hadoop-yarn",
        "spark": "/var/lib/spark",
    }
    for user, home in homes.items():
        system.make_user(user, home, ["hadoop"])
        write_aws_files(
            user,
            document["s3_endpoint"],
            document["region"],
            document["access_key"],
            document["secret_key"],
        )
    system.run(["usermod", "--append", "--groups", "hdfsadmingroup", "hadoop"])


def _folders() -> None:
    """Everything big is under /mnt and /var/log leads there, as on EMR's nodes."""
    system.make_folder("/mnt/namenode", "hdfs", 0o700)
    system.make_folder("/mnt/hdfs", "hdfs", 0o700)
    system.make_folder("/mnt/yarn", "yarn")
    system.make_folder("/mnt/s3", mode=0o1777)
    system.make_folder("/mnt/var/lib/hadoop/tmp", mode=0o1777)
    for name, owner in (("hadoop-hdfs", "hdfs"), ("hadoop-yarn", "yarn"), ("spark", "spark")):
        system.make_folder(f"/mnt/var/log/{name}", owner, 0o775)
        system.link(f"/var/log/{name}", f"/mnt/var/log/{name}")
    system.make_folder("/mnt/var/log/hadoop-yarn/containers", "yarn")
    system.make_folder("/mnt/var/log/spark", "spark", 0o1777)


def _commands(applications: Any) -> None:
    for name in HADOOP_COMMANDS:
        system.link(f"/usr/bin/{name}", f"/usr/lib/hadoop/bin/{name}")
    if "Spark" in applications:
        for name in SPARK_COMMANDS:
            system.link(f"/usr/bin/{name}", "/usr/libexec/emr/spark-command")


def _namenode_folder() -> None:
    """The file system was formatted, with EMR's folders in it, when the image was built."""
    if not os.path.isdir("/mnt/namenode/current"):
        system.run(["cp", "-a", f"{BAKED_NAMENODE}/current", "/mnt/namenode/"])
        system.run(["chown", "-R", "hdfs:hdfs", "/mnt/namenode"])
