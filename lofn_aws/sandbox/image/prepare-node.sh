#!/bin/sh
# Last build step of the node image: whatever need not be done at a node's boot is done here.
set -eu

# Users and the way in: hadoop as on EMR; keys, host keys and machine id are each node's own.
groupadd --gid 1000 hadoop
useradd --uid 1000 --gid hadoop --create-home --shell /bin/bash hadoop
chmod 0440 /etc/sudoers.d/hadoop
install -d -o hadoop -g hadoop -m 0700 /home/hadoop/.ssh
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
: > /etc/machine-id
chmod 0755 /usr/bin/aws /usr/lib/hadoop/bin/* /usr/lib/hadoop/libexec/* /usr/libexec/emr/install-applications \
    /usr/libexec/emr/configure-aws /usr/libexec/emr/spark-command

# Units that a container has no use for, that would change the host's kernel settings, or that
# would keep it from the state "running".
systemctl mask --quiet systemd-udevd.service systemd-logind.service getty.target \
    console-getty.service systemd-udev-trigger.service systemd-journald-audit.socket \
    systemd-firstboot.service systemd-update-utmp.service systemd-remount-fs.service \
    systemd-sysctl.service systemd-modules-load.service systemd-sysusers.service \
    modprobe@.service sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
    dev-hugepages.mount dev-mqueue.mount proc-sys-fs-binfmt_misc.automount \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    e2scrub_reap.service
systemctl enable --quiet ssh.service docker.service ssh-host-keys.service
systemctl disable --quiet ssh.socket 2>/dev/null || true
systemctl set-default --quiet multi-user.target

# Java under the name EMR gives it.
ln -s "$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")" /usr/lib/jvm/jre-17

# Spark: EMR's configuration folder, and s3:// for every driver and executor.
mkdir -p /etc/spark/conf /etc/hadoop/conf
ln -s /etc/spark/conf /usr/lib/spark/conf
ln -s /etc/hadoop/conf /usr/lib/hadoop/conf
for jar in /usr/share/aws/aws-java-sdk-v2/*.jar; do
    ln -s "$jar" "/usr/lib/spark/jars/$(basename "$jar")"
done
python3 -m compileall -q /usr/lib/aws-cli /usr/libexec/emr/emr_node

# The jars have no web applications of HDFS; its daemons insist on the folders.
mkdir -p /usr/lib/hadoop/share/webapps/hdfs /usr/lib/hadoop/share/webapps/datanode
mkdir -p /mnt/var/log /mnt/var/lib/info /mnt/tmp /emr/instance-controller/lib/info
chmod 1777 /mnt/tmp
