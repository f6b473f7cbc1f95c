#!/bin/bash
# The long part of the node image's last build: links and compiled Python for Spark and the aws
# command, and one run of the Hadoop daemons for two things that a node then need not do: HDFS is
# formatted, with EMR's folders in it, and the classes that each daemon loads are kept in an
# archive (Java's class data sharing), which halves the processor time that it takes to start.
set -euo pipefail

# Java under the name EMR gives it.
ln -s "$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")" /usr/lib/jvm/jre-17

# EMR's configuration folders, and s3:// for every driver and executor.
mkdir -p /etc/spark/conf /etc/hadoop/conf
ln -s /etc/spark/conf /usr/lib/spark/conf
ln -s /etc/hadoop/conf /usr/lib/hadoop/conf
for jar in /usr/share/aws/aws-java-sdk-v2/*.jar; do
    ln -s "$jar" "/usr/lib/spark/jars/$(basename "$jar")"
done
python3 -m compileall -q /usr/lib/aws-cli

hadoop=/usr/lib/hadoop
conf=/tmp/conf
mkdir -p "$conf" "$hadoop/cds"
chmod 0755 "$hadoop"/bin/* "$hadoop"/libexec/*
# The jars have no web applications of HDFS; its daemons insist on the folders.
mkdir -p "$hadoop/share/webapps/hdfs" "$hadoop/share/webapps/datanode"
# An archive holds for the class path it was made with: one order, written down.
printf '%s\n' "$hadoop"/lib/*.jar /usr/share/aws/aws-java-sdk-v2/*.jar | paste -sd: \
    > "$hadoop/classpath"

site() { # FILE NAME=VALUE...
    local file=$1 pair
    shift
    echo "<configuration>" > "$conf/$file"
    for pair in "$@"; do
        echo "<property><name>${pair%%=*}</name><value>${pair#*=}</value></property>"
    done >> "$conf/$file"
    echo "</configuration>" >> "$conf/$file"
}
site core-site.xml fs.defaultFS=hdfs://127.0.0.1:8020 hadoop.tmp.dir=/tmp/hadoop
site hdfs-site.xml "dfs.namenode.name.dir=file://$hadoop/namenode" \
    dfs.datanode.data.dir=file:///tmp/datanode dfs.permissions.superusergroup=hdfsadmingroup \
    dfs.namenode.datanode.registration.ip-hostname-check=false dfs.replication=1
site yarn-site.xml yarn.resourcemanager.hostname=127.0.0.1 \
    yarn.nodemanager.local-dirs=/tmp/yarn yarn.nodemanager.log-dirs=/tmp/yarn-logs \
    yarn.log-aggregation-enable=true yarn.nodemanager.address=0.0.0.0:8041 \
    yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage=99
cp "$hadoop/share/capacity-scheduler.xml" "$hadoop/share/log4j.properties" "$conf/"

# Hadoop's simple authentication takes the user from HADOOP_USER_NAME: hdfs owns the root.
export HADOOP_CONF_DIR=$conf HADOOP_USER_NAME=hdfs HADOOP_LOG_DIR=/tmp
wait_for() { # WHAT COMMAND...
    local what=$1 tries=0
    shift
    until "$@" > /dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || { echo "waited 300 s in vain: $what" >&2; exit 1; }
        sleep 0.5
    done
}
"$hadoop/bin/hdfs" namenode -format -force -nonInteractive
export HADOOP_ARCHIVE_CLASSES=yes
daemons=()
for daemon in "hdfs namenode" "hdfs datanode" "yarn resourcemanager" "yarn nodemanager"; do
    "$hadoop/bin"/$daemon & # two words on purpose
    daemons+=($!)
done

namenode=http://127.0.0.1:9870
wait_for "the NameNode answers" curl -fsS "$namenode/webhdfs/v1/?op=GETFILESTATUS"
folder() { # PATH OWNER GROUP MODE
    local url="$namenode/webhdfs/v1$1?user.name=hdfs"
    curl -fsS -o /dev/null -X PUT "$url&op=MKDIRS&permission=$4"
    curl -fsS -o /dev/null -X PUT "$url&op=SETPERMISSION&permission=$4"
    curl -fsS -o /dev/null -X PUT "$url&op=SETOWNER&owner=$2&group=$3"
}
folder /tmp hdfs hdfsadmingroup 1777
folder /user hdfs hdfsadmingroup 755
folder /user/hadoop hadoop hdfsadmingroup 755
folder /user/spark spark spark 755
folder /var hdfs hdfsadmingroup 755
folder /var/log hdfs hdfsadmingroup 755
folder /var/log/hadoop-yarn/apps yarn hadoop 1777
folder /var/log/spark/apps spark spark 1777

wait_for "the DataNode registers" sh -c "curl -fsS '$namenode/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState' | grep -q '\"NumLiveDataNodes\" : 1'"
wait_for "the NodeManager registers" sh -c "curl -fsS 'http://127.0.0.1:8088/ws/v1/cluster/nodes?states=RUNNING' | grep -q nodeHostName"
"$hadoop/bin/hdfs" dfs -put /etc/hostname /tmp/trained
HADOOP_ARCHIVE_CLASSES="" "$hadoop/bin/hdfs" dfs -rm -skipTrash /tmp/trained
"$hadoop/bin/yarn" node -list
unset HADOOP_ARCHIVE_CLASSES
"$hadoop/bin/hdfs" dfsadmin -safemode enter
"$hadoop/bin/hdfs" dfsadmin -saveNamespace

kill "${daemons[@]}"
wait "${daemons[@]}" || true
rm -rf "$conf" /tmp/hadoop* /tmp/yarn* /tmp/datanode /tmp/hsperfdata* /tmp/Jetty* "$hadoop/namenode/in_use.lock"
ls "$hadoop"/cds/{HADOOP_NAMENODE,HADOOP_DATANODE,YARN_RESOURCEMANAGER,YARN_NODEMANAGER,HADOOP_CLIENT,YARN_CLIENT}.jsa > /dev/null
