#!/bin/sh
# Fill a folder with the node image's jars and Python packages: collect-parts.sh IMAGE_DIR PARTS_DIR PYTHON
# Runs inside the image's own build where that reaches Maven Central and PyPI, else on the host.
set -eu
image=$1
parts=$2
python=$3
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT

for name in hadoop s3a spark; do
    mvn --quiet --batch-mode -f "$image/pom/$name.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$parts/jars/$name"
done
# Hadoop's and Spark's folders have these already, in versions of their own.
for jar in commons-codec commons-logging httpclient httpcore netty-buffer netty-codec \
    netty-common netty-handler netty-resolver netty-transport slf4j; do
    rm -f "$parts/jars/s3a/$jar"-*.jar
done

"$python" -m venv "$tools/venv"
pip="$tools/venv/bin/pip --disable-pip-version-check --quiet"
# pyspark is a source archive of 300 MB of jars: no dependency of it is wanted, py4j is inside.
$pip install --no-deps --no-compile --target "$tools/spark" "$(grep '^pyspark' "$image/python-packages.txt")"
# The node's interpreter is Debian 12's 3.11, whatever interpreter runs pip.
$pip install --no-compile --target "$parts/aws-cli" --only-binary=:all: --python-version 3.11 \
    --platform "manylinux2014_$(uname -m)" --platform "manylinux_2_28_$(uname -m)" \
    "$(grep '^awscli' "$image/python-packages.txt")"
rm -rf "$parts/aws-cli/awscli/examples" "$parts/aws-cli/bin"

# The wheel's folder becomes a SPARK_HOME laid out as EMR's.
mkdir -p "$parts/spark/python"
for folder in bin sbin jars licenses; do
    mv "$tools/spark/pyspark/$folder" "$parts/spark/$folder"
done
mv "$tools/spark/pyspark/python/lib" "$parts/spark/python/lib"
"$python" -m zipfile -e "$parts/spark/python/lib/pyspark.zip" "$parts/spark/python"
rm "$parts/spark/jars"/hadoop-client-api-*.jar "$parts/spark/jars"/hadoop-client-runtime-*.jar
mv "$parts/jars/spark"/hadoop-client-*.jar "$parts/spark/jars/"
rmdir "$parts/jars/spark"
