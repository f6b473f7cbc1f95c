"""The shell script a container runs: wait, run, report, and die with the worker."""

from __future__ import annotations

CONTROL = "/.lofn"  # where the control folder is mounted in the container

# POSIX sh; busybox, dash and bash run it. Its life hangs on two FIFOs whose other ends only the
# Python worker holds: when the kernel closes them, `read` ends and everything here is killed.
#   go    the worker writes a request's number, one a line; end of file means "no more"
#   done  "ready", then of each request: its number, its exit status, and how many processes the
#         kernel has killed here for want of memory (cgroup v2's file, or v1's; 0 without either)
#   err   what commands write to stderr, or to a stdout that they did not redirect
#   life  never written to
# $2 is what to kill then: -1, all there is, or in a process namespace that is not the container's
# own (--pid=host) the shell itself alone. Docker then ends what else is in the container.
SCRIPT = r"""
[ "$2" = own ] && set -- "$1" -1 || set -- "$1" $$
exec 3<"$1/go" 4>"$1/done" 2>"$1/err" 1>&2
{ exec 3<&- 4>&-; read -r _ <"$1/life"; kill -s KILL -- "$2"; } &
run=sh
if command -v bash >/dev/null 2>&1; then run='bash -o pipefail'
elif (set -o pipefail) 2>/dev/null; then run='sh -o pipefail'
fi
killed() {
  for f in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
    [ -r "$f" ] && while read -r k v; do
      [ "$k" = oom_kill ] && echo "$v" && return
    done <"$f"
  done
  echo 0
}
echo ready >&4
while read -r n <&3; do
  $run "$1/command" </dev/null 3<&- 4>&-
  s=$?
  k=0
  [ $s = 0 ] || k=$(killed)
  echo "$n $s $k" >&4
done
"""


def entrypoint(pid_mode: str) -> list[str]:
    """Return the argv that takes the place of the image's own entrypoint.

    ``pid_mode`` is Docker's for the container; "" stands for a namespace of its own.
    """
    namespace = "shared" if pid_mode else "own"
    return ["/bin/sh", "-c", SCRIPT, "lofn", CONTROL, namespace]
