#!/bin/sh
# EMR bootstrap action: puts Docker and the lofn engine on one node, before EMR's applications.
#
# Run by EMR as the user hadoop on every node, also on those added later, with the arguments
#   --bucket BUCKET --run-id RUN_ID --wheel S3_URI --node-script S3_URI
# The user yarn is not there yet: the watcher that this script leaves behind gives it Docker's
# group afterwards. Can be run again. A failure is one line on stderr and exit code 1, which makes
# EMR end the instance with BOOTSTRAP_FAILURE.
set -u
umask 022

LOFN_HOME=/opt/lofn

say() { printf 'lofn-bootstrap: %s\n' "$*"; }
die() { printf 'lofn-bootstrap: %s: %s\n' "$(hostname)" "$*" >&2; exit 1; }

parse_arguments() {
    bucket='' run_id='' wheel_uri='' node_script_uri=''
    while [ $# -gt 0 ]; do
        [ $# -ge 2 ] || die "$1 needs a value"
        case $1 in
            --bucket) bucket=$2 ;;
            --run-id) run_id=$2 ;;
            --wheel) wheel_uri=$2 ;;
            --node-script) node_script_uri=$2 ;;
            *) die "unknown argument $1 (known: --bucket, --run-id, --wheel, --node-script)" ;;
        esac
        shift 2
    done
    [ -n "$bucket" ] || die "--bucket is missing"
    [ -n "$run_id" ] || die "--run-id is missing"
    [ -n "$wheel_uri" ] || die "--wheel is missing"
    [ -n "$node_script_uri" ] || die "--node-script is missing"
}

# retry SECONDS COMMAND...: run COMMAND every 2 s until it succeeds or SECONDS have passed.
retry() {
    retry_until=$(($(date +%s) + $1)); shift
    until "$@"; do
        [ "$(date +%s)" -lt "$retry_until" ] || return 1
        sleep 2
    done
}

# The package manager may be locked by the image's own first-boot jobs, so each way is retried.
install_packages() {
    if command -v dnf >/dev/null; then
        retry 180 sudo dnf install -y -q "$1"
    elif command -v apt-get >/dev/null; then
        retry 60 sudo apt-get update -q &&
            retry 180 sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$2"
    else
        die "neither dnf nor apt-get is here to install $1 with"
    fi
}

docker_answers() { sudo docker version --format '{{.Server.Version}}' 2>/dev/null; }

set_up_docker() {
    command -v dockerd >/dev/null || install_packages docker docker.io ||
        die "Docker Engine could not be installed; can this subnet reach the package repository?"
    sudo systemctl enable --now docker || die "systemctl cannot start docker: see journalctl -u docker"
    docker_version=$(retry 90 docker_answers) || die "dockerd does not answer after 90 s: see journalctl -u docker"
    getent group docker >/dev/null || sudo groupadd docker || die "cannot make the group docker"
    sudo usermod -aG docker hadoop || die "cannot put hadoop into the group docker"
    say "Docker Engine $docker_version"
}

download() { retry 60 aws s3 cp --only-show-errors "$1" "$2" || die "cannot download $1"; }

set_up_node_script() {
    download "$node_script_uri" "$scratch/lofn-node"
    sudo install -D -m 0755 -o root -g root "$scratch/lofn-node" $LOFN_HOME/bin/lofn-node ||
        die "cannot install $LOFN_HOME/bin/lofn-node"
    # YARN runs its containers with HOME=/home, where Docker's client finds no settings:
    # DOCKER_CONFIG points here instead.
    sudo install -d -m 0755 $LOFN_HOME/docker || die "cannot make $LOFN_HOME/docker"
    [ -e $LOFN_HOME/docker/config.json ] ||
        echo '{}' | sudo tee $LOFN_HOME/docker/config.json >/dev/null ||
        die "cannot write $LOFN_HOME/docker/config.json"
}

# EMR 7.13's PySpark runs on Python 3.11, earlier releases of EMR 7 on the system's 3.9.
engine_python() { command -v python3.11 || command -v python3; }

set_up_engine() {
    python=$(engine_python) || die "no python3 is here"
    wheel=$scratch/$(basename "$wheel_uri")
    download "$wheel_uri" "$wheel"
    # --system-site-packages: what the release ships (numpy, pandas, pyarrow) can be imported.
    [ -x $LOFN_HOME/venv/bin/pip ] || sudo "$python" -m venv --system-site-packages $LOFN_HOME/venv ||
        die "$python cannot make the virtual environment $LOFN_HOME/venv"
    # In the environment and not as an option: pip before 22.1, as Python 3.9 of Amazon Linux has
    # it, ends at options that it does not know and passes over such variables.
    sudo env PIP_ROOT_USER_ACTION=ignore $LOFN_HOME/venv/bin/pip install --quiet --no-deps --no-index \
        --force-reinstall --disable-pip-version-check "$wheel" || die "pip cannot install $wheel_uri"
    # From /, so that no folder named lofn beside this script is imported instead.
    (cd / && $LOFN_HOME/venv/bin/python -c 'import lofn') || die "the engine from $wheel_uri cannot be imported"
    say "engine in $LOFN_HOME/venv on $($LOFN_HOME/venv/bin/python --version)"
}

private_ip() {
    # Only the route towards this documentation address (RFC 5737) is asked for: the address of
    # Docker's own bridge is never taken for the node's.
    ip_found=$(ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')
    printf '%s' "${ip_found:-$(hostname -I | cut -d' ' -f1)}"
}

# `up` pins these keys instead of trusting whatever answers first.
publish_host_keys() {
    host_keys_uri=s3://$bucket/clusters/$run_id/hostkeys/$(private_ip).pub
    cat /etc/ssh/ssh_host_*_key.pub >"$scratch/hostkeys.pub" || die "no SSH host keys in /etc/ssh"
    retry 60 aws s3 cp --only-show-errors "$scratch/hostkeys.pub" "$host_keys_uri" ||
        die "cannot write $host_keys_uri: may this instance's role write to the bucket?"
}

start_watcher() {
    systemctl is-active --quiet lofn-watch && return 0
    sudo systemctl reset-failed lofn-watch 2>/dev/null
    sudo systemd-run --quiet --unit=lofn-watch --description="lofn: Docker group and swarm, once EMR is done" \
        $LOFN_HOME/bin/lofn-node watch "$bucket" "$run_id" || die "systemd cannot start the watcher lofn-watch"
}

parse_arguments "$@"
scratch=$(mktemp -d) || die "no temporary folder"
trap 'rm -rf "$scratch"' EXIT
set_up_docker
set_up_node_script
set_up_engine
publish_host_keys
start_watcher
say "done"
