#!/bin/sh
# Makes one node of an EMR cluster ready to run Docker images for lofn, one small command at a time.
#
# Installed by lofn-bootstrap.sh as /opt/lofn/bin/lofn-node and run as root, over SSH by
# `lofn-aws up` or in the background by its own `watch`. Every command can be run again.
#
#   lofn-node facts                                  what this node is, as one JSON object
#   lofn-node docker-group                           hadoop and yarn may use Docker
#   lofn-node swarm-init ADVERTISE_IP [--pool CIDR]  start a swarm; JSON {manager, token, state}
#   lofn-node swarm-join MANAGER TOKEN               join it as a worker
#   lofn-node swarm-leave                            leave whatever swarm this node is in
#   lofn-node swarm-clean                            forget nodes that are down (on the manager)
#   lofn-node load-image S3_URI|- IMAGE              have IMAGE here, from a tar or by a pull
#   lofn-node registry-start IMAGE BUCKET REGION PREFIX  a registry on every node (on the manager)
#   lofn-node publish IMAGE NAME                     push a local image as localhost:5000/NAME
#   lofn-node watch BUCKET RUN_ID                    wait for EMR, then do the above unattended
#
# The swarm document that `watch` waits for, s3://BUCKET/clusters/RUN_ID/swarm.json:
#   {"manager": "10.0.0.5:2377", "token": "SWMTKN-...",
#    "registry_image": "registry:2", "registry_tar": "s3://BUCKET/images/registry-....tar"}
# The last two are optional; without them the swarm pulls the registry's image by itself.
set -u
umask 022
export HOME=/root PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

LOFN_HOME=/opt/lofn
LOCK_FILE=/run/lofn-node.lock
REGISTRY_CREDENTIALS=$LOFN_HOME/registry/credentials
REGISTRY_URL=http://127.0.0.1:5000/v2/
INSTANCE_INFO=/mnt/var/lib/info/instance.json
JOB_FLOW_STATE=/emr/instance-controller/lib/info/job-flow-state.txt

say() { printf 'lofn-node: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
usage() { sed -n 's/^#   \(lofn-node .*\)/\1/p' "$0" >&2; exit 2; }

# retry SECONDS COMMAND...: run COMMAND every second until it succeeds or SECONDS have passed.
retry() {
    retry_until=$(($(date +%s) + $1)); shift
    until "$@"; do
        [ "$(date +%s)" -lt "$retry_until" ] || return 1
        sleep 1
    done
}

json_string() { printf '"%s"' "$(printf '%s' "$1" | tr '\n\t' '  ' | sed 's/\\/\\\\/g; s/"/\\"/g')"; }
json_or_null() { if [ -n "$1" ]; then json_string "$1"; else printf null; fi; }
json_groups() {
    id "$1" >/dev/null 2>&1 || { printf null; return; }
    printf '[%s]' "$(id -nG "$1" | sed 's/[^ ]*/"&"/g; s/ /, /g')"
}

# ---- what is here -----------------------------------------------------------------------------

private_ip() {
    # 192.0.2.1 is a documentation address (RFC 5737): only the route towards it is asked for, so
    # that docker0's own address is never taken for the node's.
    ip_found=$(ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')
    printf '%s' "${ip_found:-$(hostname -I | cut -d' ' -f1)}"
}

docker_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }
registry_answers() { curl -fsS -m 5 -o /dev/null "$REGISTRY_URL" 2>/dev/null; }
swarm_field() { docker info --format "{{.Swarm.$1}}" 2>/dev/null; }
swarm_managers() {
    docker info --format '{{range .Swarm.RemoteManagers}}{{.Addr}} {{end}}' 2>/dev/null
}
is_primary() { grep -Eq '"isMaster"[[:space:]]*:[[:space:]]*true' "$INSTANCE_INFO" 2>/dev/null; }

provisioned() {
    # EMR writes this state when the applications are installed and their daemons run; the record
    # of this very instance is the one inside `localInstance { nodeProvisionCheckinRecord {`.
    awk '/localInstance[ \t]*\{/ { here = 1 }
         here && /nodeProvisionCheckinRecord[ \t]*\{/ { record = 1 }
         record && /status:/ { found = ($2 == "SUCCESSFUL"); exit }
         END { exit !found }' "$JOB_FLOW_STATE" 2>/dev/null
}

main_pid() {
    pid_found=$(systemctl show -p MainPID --value "$1" 2>/dev/null)
    [ "${pid_found:-0}" != 0 ] && [ -d "/proc/$pid_found" ] && printf '%s' "$pid_found"
}

# Does the process see Docker's socket: is it root's, or did it start with the group docker?
process_sees_docker() {
    [ "$(awk '/^Uid:/ { print $3 }' "/proc/$1/status")" = 0 ] && return 0
    docker_gid=$(getent group docker | cut -d: -f3)
    awk '/^Groups:/' "/proc/$1/status" | tr '\t' ' ' | grep -q " $docker_gid\( \|\$\)"
}

json_daemon_sees_docker() {
    daemon_pid=$(main_pid hadoop-yarn-nodemanager) || { printf null; return; }
    if process_sees_docker "$daemon_pid"; then printf true; else printf false; fi
}

json_swarm() {
    if [ "$(swarm_field ControlAvailable)" = true ]; then swarm_role=manager; else swarm_role=worker; fi
    [ "$(swarm_field LocalNodeState)" = active ] || swarm_role=
    swarm_manager=$(swarm_managers | cut -d' ' -f1)
    printf '{"state": %s, "node_id": %s, "role": %s, "manager": %s}' \
        "$(json_or_null "$(swarm_field LocalNodeState)")" "$(json_or_null "$(swarm_field NodeID)")" \
        "$(json_or_null "$swarm_role")" "$(json_or_null "$swarm_manager")"
}

json_test() { if "$@"; then printf true; else printf false; fi; }

facts() {
    engine_python=$LOFN_HOME/venv/bin/python
    engine_version=$("$engine_python" -c 'import lofn; print(lofn.__version__)' 2>/dev/null)
    python_version=$("$engine_python" -c 'import platform; print(platform.python_version())' 2>/dev/null)
    printf '{"host": %s, "ip": %s, "primary": %s, "provisioned": %s, ' \
        "$(json_string "$(hostname -f 2>/dev/null || hostname)")" "$(json_string "$(private_ip)")" \
        "$(json_test is_primary)" "$(json_test provisioned)"
    printf '"docker_active": %s, "docker_version": %s, "groups": {"hadoop": %s, "yarn": %s}, ' \
        "$(json_test docker_answers)" \
        "$(json_or_null "$(docker version --format '{{.Server.Version}}' 2>/dev/null)")" \
        "$(json_groups hadoop)" "$(json_groups yarn)"
    printf '"nodemanager_sees_docker": %s, "engine_version": %s, "python": %s, ' \
        "$(json_daemon_sees_docker)" "$(json_or_null "$engine_version")" \
        "$(json_or_null "$python_version")"
    printf '"swarm": %s, "registry": %s}\n' "$(json_swarm)" "$(json_test registry_answers)"
}

# ---- Docker's group ---------------------------------------------------------------------------

in_docker_group() { id -nG "$1" | tr ' ' '\n' | grep -qx docker; }

docker_group() {
    getent group docker >/dev/null || groupadd docker || die "cannot make the group docker"
    for user in hadoop yarn; do
        id "$user" >/dev/null 2>&1 || { say "no user $user here yet"; continue; }
        in_docker_group "$user" || usermod -aG docker "$user" || die "cannot put $user into the group docker"
    done
    # YARN's containers inherit the groups that their daemon had when it started.
    for unit in hadoop-yarn-nodemanager hadoop-yarn-resourcemanager; do
        unit_pid=$(main_pid "$unit") || continue
        process_sees_docker "$unit_pid" && continue
        say "restarting $unit, which started before its user was in the group docker"
        systemctl restart "$unit" || die "systemctl restart $unit failed: see journalctl -u $unit"
    done
}

# ---- the swarm --------------------------------------------------------------------------------

# The registry's S3 driver reads its keys from this file. On EMR there are none, the file stays
# empty and the driver goes on to the instance's role.
registry_credentials() {
    install -d -m 0700 "$LOFN_HOME/registry" || die "cannot make $LOFN_HOME/registry"
    # A copy: docker mounts a file by its inode, and tools that write ~/.aws replace theirs.
    cat /root/.aws/credentials >"$REGISTRY_CREDENTIALS.new" 2>/dev/null
    chmod 600 "$REGISTRY_CREDENTIALS.new"
    # Written in place: a running registry has this very file mounted.
    cmp -s "$REGISTRY_CREDENTIALS.new" "$REGISTRY_CREDENTIALS" 2>/dev/null ||
        cat "$REGISTRY_CREDENTIALS.new" >"$REGISTRY_CREDENTIALS"
    chmod 600 "$REGISTRY_CREDENTIALS"
    rm -f "$REGISTRY_CREDENTIALS.new"
}

leave_if_broken() {
    case $(swarm_field LocalNodeState) in
        error | locked | pending)
            # pending, and nothing else holds the lock: a join that never came through.
            say "this node's swarm is $(swarm_field LocalNodeState) ($(swarm_field Error)); leaving it"
            docker swarm leave --force >/dev/null || die "docker swarm leave --force failed" ;;
    esac
}

is_manager() { [ "$(swarm_field ControlAvailable)" = true ]; }
swarm_is_active() { [ "$(swarm_field LocalNodeState)" = active ]; }

swarm_init() {
    advertise=${1:-}; pool=
    [ -n "$advertise" ] || die "swarm-init needs the address that other nodes reach this one by"
    [ "${2:-}" != --pool ] || pool=${3:?--pool needs a CIDR}
    registry_credentials
    leave_if_broken
    swarm_is_active && ! is_manager &&
        die "this node is a worker of the swarm at $(swarm_managers); run: lofn-node swarm-leave"
    if ! swarm_is_active; then
        set -- --advertise-addr "$advertise"
        [ -z "$pool" ] || set -- "$@" --default-addr-pool "$pool"
        docker swarm init "$@" >/dev/null || die "docker swarm init --advertise-addr $advertise failed"
    fi
    token=$(docker swarm join-token -q worker) || die "docker gives no join token"
    printf '{"manager": %s, "token": %s, "state": "active"}\n' \
        "$(json_string "$(swarm_field NodeAddr):2377")" "$(json_string "$token")"
}

swarm_join() {
    manager=${1:-}; token=${2:-}
    [ -n "$token" ] || die "swarm-join needs the manager's address and the join token"
    registry_credentials
    leave_if_broken
    if swarm_is_active; then
        case " $(swarm_managers)" in *" $manager "*) return 0 ;; esac
        say "leaving the swarm of $(swarm_managers)to join that of $manager"
        docker swarm leave --force >/dev/null || die "docker swarm leave --force failed"
    fi
    join_output=$(docker swarm join --token "$token" "$manager" 2>&1) && return 0
    case $join_output in
        # Docker gives up waiting after 20 s but goes on joining in the background.
        *Timeout*) retry 40 swarm_is_active && return 0 ;;
    esac
    docker swarm leave --force >/dev/null 2>&1
    die "cannot join the swarm at $manager: $join_output"
}

swarm_leave() {
    case $(swarm_field LocalNodeState) in
        inactive | '') return 0 ;;
    esac
    docker swarm leave --force >/dev/null || die "docker swarm leave --force failed"
}

swarm_clean() {
    is_manager || die "swarm-clean runs on the swarm's manager, and this node is none"
    docker node ls --format '{{.ID}} {{.Status}}' | while read -r node_id node_status _; do
        [ "$node_status" = Down ] || continue
        docker node rm --force "$node_id" >/dev/null && say "removed node $node_id, which was down"
    done
}

# ---- images and the registry ------------------------------------------------------------------

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

load_image() {
    tar_uri=${1:-}; image=${2:-}
    [ -n "$image" ] || die "load-image needs an s3:// URI (or -) and an image name"
    has_image "$image" && return 0
    if [ "$tar_uri" != - ]; then
        aws s3 cp --only-show-errors "$tar_uri" - | docker load >/dev/null
        has_image "$image" && return 0
        say "$tar_uri brought no image $image; trying to pull it"
    fi
    timeout 300 docker pull -q "$image" >/dev/null || die "cannot pull the image $image on $(hostname)"
}

create_registry() {
    # The host's network: the registry listens on the node's loopback alone, and reaches the
    # instance's role where the metadata service allows only one hop.
    # aws-sdk-go's own variable names the credentials file; the keys are not in the service.
    # OTEL_ and FORCEPATHSTYLE mean something to registry:3 alone, and registry:2 ignores them.
    set -- --name registry --mode global --network host --no-resolve-image --detach --quiet \
        --label "lofn.registry=$registry_spec" \
        --mount "type=bind,src=$REGISTRY_CREDENTIALS,dst=/run/lofn-registry-credentials,readonly" \
        --env AWS_SHARED_CREDENTIALS_FILE=/run/lofn-registry-credentials \
        --env REGISTRY_HTTP_ADDR=127.0.0.1:5000 \
        --env REGISTRY_STORAGE=s3 --env "REGISTRY_STORAGE_S3_BUCKET=$bucket" \
        --env "REGISTRY_STORAGE_S3_REGION=$region" \
        --env "REGISTRY_STORAGE_S3_ROOTDIRECTORY=/$prefix" \
        --env REGISTRY_STORAGE_REDIRECT_DISABLE=true --env REGISTRY_STORAGE_DELETE_ENABLED=true \
        --env OTEL_TRACES_EXPORTER=none
    if [ -n "$endpoint" ]; then
        case $endpoint in https:*) secure=true ;; *) secure=false ;; esac
        set -- "$@" --env "REGISTRY_STORAGE_S3_REGIONENDPOINT=$endpoint" \
            --env "REGISTRY_STORAGE_S3_SECURE=$secure" --env REGISTRY_STORAGE_S3_FORCEPATHSTYLE=true
    fi
    docker service create "$@" "$image" >/dev/null || die "docker service create registry failed"
}

registry_start() {
    image=${1:-}; bucket=${2:-}; region=${3:-}; prefix=${4:-}
    [ -n "$prefix" ] || die "registry-start needs IMAGE BUCKET REGION PREFIX"
    is_manager || die "registry-start runs on the swarm's manager, and this node is none"
    has_image "$image" || die "the image $image is not on this node; run: lofn-node load-image S3_URI $image"
    prefix=${prefix#/}
    endpoint=$(aws configure get endpoint_url 2>/dev/null)
    registry_spec="$image $bucket $region $prefix $endpoint"
    running_spec=$(docker service inspect registry \
        --format '{{index .Spec.Labels "lofn.registry"}}' 2>/dev/null)
    if [ "$running_spec" != "$registry_spec" ]; then
        docker service rm registry >/dev/null 2>&1
        create_registry
    fi
    retry 90 registry_answers && return 0
    reasons=$(docker service ps registry --no-trunc --format '{{.Node}} {{.Error}}' |
        grep ' .' | sort -u | head -n 5)
    die "the registry does not answer at $REGISTRY_URL after 90 s: ${reasons:-see docker service logs registry}"
}

publish() {
    image=${1:-}; name=${2:-}
    [ -n "$name" ] || die "publish needs a local image and the name it gets in the registry"
    docker tag "$image" "localhost:5000/$name" || die "no image $image on this node"
    timeout 600 docker push -q "localhost:5000/$name" || die "cannot push localhost:5000/$name"
}

# ---- unattended -------------------------------------------------------------------------------

json_field() {
    printf '%s' "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1]) or "")' "$2"
}

fetch_swarm_document() {
    swarm_document=
    swarm_is_active && return 0
    swarm_document=$(aws s3 cp --only-show-errors "$1" - 2>/dev/null) && [ -n "$swarm_document" ]
}

# join_once DOCUMENT_URI: 0 when this node is in a swarm; else 1, with why in watch_reason.
join_once() {
    fetch_swarm_document "$1" || { watch_reason="there is no $1"; return 1; }
    [ -n "$swarm_document" ] || { say "already in a swarm"; return 0; }
    registry_image=$(json_field "$swarm_document" registry_image)
    registry_tar=$(json_field "$swarm_document" registry_tar)
    swarm_manager=$(json_field "$swarm_document" manager)
    [ -z "$registry_image" ] || (load_image "${registry_tar:--}" "$registry_image") ||
        say "no registry image yet; the swarm tries again by itself"
    watch_reason="the last try to join the swarm at $swarm_manager failed"
    # In a subshell: what cannot be done ends the process that tries it, and not the watcher.
    (locked swarm_join "$swarm_manager" "$(json_field "$swarm_document" token)") || return 1
    say "joined the swarm"
}

join_from_bucket() {
    # 30 minutes: longer than `up` takes from provisioning to the swarm; after that
    # `lofn-aws up` or `swarm sync` joins this node over SSH. The document is read anew for each
    # try, because a swarm that was started again has another token.
    watch_until=$(($(date +%s) + 1800)); watch_pause=3
    until join_once "s3://$1/clusters/$2/swarm.json"; do
        [ "$(date +%s)" -lt "$watch_until" ] || die "not in a swarm after 30 minutes: $watch_reason"
        sleep $watch_pause
        [ $watch_pause -ge 15 ] || watch_pause=$((watch_pause + 1))
    done
}

docker_group_locked() { (locked docker_group); }

watch() {
    [ -n "${2:-}" ] || die "watch needs BUCKET and RUN_ID"
    # An hour covers EMR's own provisioning, which ends the node itself when it takes longer.
    retry 3600 provisioned || die "EMR has not provisioned this node within an hour"
    # A minute of tries: what manages EMR's packages may still hold the user database's lock.
    retry 60 docker_group_locked || die "cannot let hadoop and yarn use Docker"
    if is_primary; then say "this is the primary: up starts the swarm"; return 0; fi
    join_from_bucket "$1" "$2"
}

# locked FUNCTION ARGS...: one change at a time, be it by `up` over SSH or by the watcher.
locked() {
    exec 9>"$LOCK_FILE"
    flock -w 300 9 || die "another lofn-node has held $LOCK_FILE for 5 minutes"
    # The lock is not handed on: a daemon started by the function must not keep it.
    "$@" 9>&-
    locked_result=$?
    exec 9>&-
    return $locked_result
}

[ "$(id -u)" = 0 ] || die "run as root: sudo $0 $*"
[ $# -gt 0 ] || usage
command=$1; shift
case $command in
    facts) facts ;;
    docker-group) locked docker_group ;;
    swarm-init) locked swarm_init "$@" ;;
    swarm-join) locked swarm_join "$@" ;;
    swarm-leave) locked swarm_leave ;;
    swarm-clean) locked swarm_clean ;;
    load-image) locked load_image "$@" ;;
    registry-start) locked registry_start "$@" ;;
    publish) publish "$@" ;;
    watch) watch "$@" ;;
    *) say "no such command: $command"; usage ;;
esac
