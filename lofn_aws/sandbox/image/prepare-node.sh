#!/bin/sh
# Last step of the node image's build: its users, its units and what must be each node's own.
set -eu

# Users and the way in: hadoop as on EMR; keys, host keys and machine id are each node's own.
groupadd --gid 1000 hadoop
useradd --uid 1000 --gid hadoop --create-home --shell /bin/bash hadoop
chmod 0440 /etc/sudoers.d/hadoop
install -d -o hadoop -g hadoop -m 0700 /home/hadoop/.ssh
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
: > /etc/machine-id
chmod 0755 /usr/bin/aws /usr/libexec/emr/install-applications /usr/libexec/emr/configure-aws \
    /usr/libexec/emr/spark-command

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

python3 -m compileall -q /usr/libexec/emr/emr_node
mkdir -p /mnt/var/log /mnt/var/lib/info /mnt/tmp /emr/instance-controller/lib/info
chmod 1777 /mnt/tmp
