#!/bin/sh
# The registry's program with the libraries it loads and nothing else: collect-registry.sh FOLDER
# 25 MB in place of a Debian of 230, since every node of a cluster loads this image.
set -eu
to=$1
program=/usr/bin/docker-registry
mkdir -p "$to/bin" "$to/tmp" "$to/etc/docker/registry" "$to/etc/ssl/certs" "$to/var/lib/registry"
cp "$program" "$to/bin/registry"
ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$to$(dirname "$library")"
    cp -L "$library" "$to$library"
done
# Name resolution is loaded at run time, so ldd does not name it.
libraries=$(dirname "$(ldd "$program" | grep -o '/[^ ]*libc\.so[^ ]*')")
cp -L "$libraries"/libnss_dns.so.2 "$libraries"/libnss_files.so.2 "$libraries"/libresolv.so.2 \
    "$to$libraries/"
cp /etc/nsswitch.conf "$to/etc/"
cp -L /etc/ssl/certs/ca-certificates.crt "$to/etc/ssl/certs/"
# Debian's own file asks for a password; these are registry:2's defaults.
cat > "$to/etc/docker/registry/config.yml" <<YAML
version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
YAML
