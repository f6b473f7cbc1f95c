#!/bin/bash
# Runs one command on a node so that its end can be waited for, however long it takes and
# whatever becomes of those who asked for it: a lock is held while the command runs, and its
# exit code is written when it has ended.
#
#   node_job.sh start WORK LOGS COMMAND [ARG...]   returns once the command has been started
#   node_job.sh wait WORK SECONDS                  prints the exit code; 75: it still runs
#   node_job.sh signal WORK TERM|KILL              to every process of the command's session
#
# WORK and LOGS are directories that exist and that the caller may write to.
set -u
STILL_RUNNING=75

log_line() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" "$1"; }

body() {
    work=$1 logs=$2
    shift 2
    # A handler, not "ignore": the command itself starts with the default again.
    trap : INT TERM HUP
    {
        log_line "INFO startExec '$*'"
        log_line "INFO working directory $work"
        log_line "INFO redirected to $logs/stdout and $logs/stderr"
    } >>"$logs/controller"
    echo $$ >"$work/.session"
    "$@" >"$logs/stdout" 2>"$logs/stderr" </dev/null 9>&-
    code=$?
    log_line "INFO the process ended with exit code $code" >>"$logs/controller"
    echo $code >"$work/.exit.new"
    mv "$work/.exit.new" "$work/.exit"
}

case $1 in
start)
    work=$2 logs=$3
    shift 3
    cd "$work" || exit 1
    exec 9>.lock
    flock -n 9 || { echo "a command already runs in $work" >&2; exit 1; }
    rm -f .exit .session
    # File descriptor 9 goes to the background process, and with it the lock.
    exec setsid -f "$BASH" "$0" body "$work" "$logs" "$@" </dev/null >/dev/null 2>>"$logs/controller"
    ;;
body)
    shift
    body "$@"
    ;;
wait)
    exec flock -E "$STILL_RUNNING" -w "$3" "$2/.lock" cat "$2/.exit"
    ;;
signal)
    # The command may have been started a moment ago: wait until it has a process.
    for _ in $(seq 100); do
        [ ! -e "$2/.exit" ] || exit 0
        session=$(cat "$2/.session" 2>/dev/null) || session=
        if [ -n "$session" ]; then
            pids=$(pgrep -s "$session" | grep -vx "$session")
            # The process ids are words of their own.
            # shellcheck disable=SC2086
            [ -z "$pids" ] || { kill -s "$3" $pids 2>/dev/null; exit 0; }
        fi
        sleep 0.1
    done
    echo "no process of a command in $2" >&2
    exit 1
    ;;
*)
    echo "unknown subcommand: $1" >&2
    exit 64
    ;;
esac
