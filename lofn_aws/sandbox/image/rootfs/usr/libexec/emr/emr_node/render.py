"""Configurations, as RunJobFlow takes them, merged into settings and written as files (pure)."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from emr_node.settings import Properties

# Classification → the file it becomes on a node (EMR's own places).
FILES = {
    "core-site": "/etc/hadoop/conf/core-site.xml",
    "hdfs-site": "/etc/hadoop/conf/hdfs-site.xml",
    "yarn-site": "/etc/hadoop/conf/yarn-site.xml",
    "mapred-site": "/etc/hadoop/conf/mapred-site.xml",
    "capacity-scheduler": "/etc/hadoop/conf/capacity-scheduler.xml",
    "hadoop-env": "/etc/hadoop/conf/hadoop-env.sh",
    "yarn-env": "/etc/hadoop/conf/yarn-env.sh",
    "spark-defaults": "/etc/spark/conf/spark-defaults.conf",
    "spark-env": "/etc/spark/conf/spark-env.sh",
    "spark-log4j2": "/etc/spark/conf/log4j2.properties",
}


def merged(
    settings: Mapping[str, Properties], configurations: Iterable[Mapping[str, Any]]
) -> dict[str, Properties]:
    """``settings`` with the cluster's Configurations over them, property by property.

    A ``*-env`` classification carries its variables in a nested one named ``export``.
    Raises ValueError for a classification that no file of the node belongs to.
    """
    result = {name: dict(properties) for name, properties in settings.items()}
    for item in configurations:
        name = item["Classification"]
        if name not in FILES:
            known = ", ".join(sorted(FILES))
            raise ValueError(f"unknown classification {name!r}; this node has {known}")
        properties = dict(item.get("Properties") or {})
        for nested in item.get("Configurations") or ():
            if nested["Classification"] == "export":
                properties.update(nested.get("Properties") or {})
        result.setdefault(name, {}).update(properties)
    return result


def files(settings: Mapping[str, Properties]) -> dict[str, str]:
    """Path on the node → text, for every classification."""
    return {FILES[name]: _text(FILES[name], properties) for name, properties in settings.items()}


def _text(path: str, properties: Properties) -> str:
    if path.endswith(".xml"):
        return _xml(properties)
    if path.endswith(".sh"):
        return _lines(f"export {name}={shlex.quote(value)}" for name, value in properties.items())
    if path.endswith(".properties"):
        return _lines(f"{name} = {value}" for name, value in properties.items())
    return _lines(f"{name} {value}" for name, value in properties.items())


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _xml(properties: Properties) -> str:
    body: list[str] = ['<?xml version="1.0"?>', "<configuration>"]
    for name, value in properties.items():
        body.append(
            f"  <property><name>{escape(name)}</name><value>{escape(value)}</value></property>"
        )
    return _lines([*body, "</configuration>"])
