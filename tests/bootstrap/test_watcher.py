"""The watcher's tries to join the swarm, in a plain shell: Docker and AWS are stood in for."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lofn_aws.assets import asset_dir

# Everything of the script but its last part, which runs a command.
MAIN = '[ "$(id -u)" = 0 ]'
STAND_INS = r"""
swarm_is_active() { [ -e "$scratch/active" ]; }
aws() { printf '{"manager": "10.0.0.5:2377", "token": "t%s"}' "$(wc -l <"$scratch/tries")"; }
locked() { "$@"; }
sleep() { clock=$((clock + 10 * $1)); }
date() { echo "$clock"; }
swarm_join() {
    echo "$1 $2" >>"$scratch/tries"
    [ "$(wc -l <"$scratch/tries")" -ge "$succeeds_at" ] || die "cannot join the swarm at $1"
}
clock=0; scratch=$1; succeeds_at=$2
: >"$scratch/tries"
"""


def watch(folder: Path, succeeds_at: int) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    functions = (asset_dir("bootstrap") / "lofn-node.sh").read_text().partition(MAIN)[0]
    script = folder / "watch.sh"
    script.write_text(f"{functions}{STAND_INS}join_from_bucket bucket run\n")
    done = subprocess.run(["sh", str(script), str(folder), str(succeeds_at)],
                          capture_output=True, text=True, check=False, timeout=60)
    return done, (folder / "tries").read_text().splitlines()


def test_a_join_that_fails_is_tried_again_with_the_record_of_then(tmp_path: Path) -> None:
    done, tries = watch(tmp_path, succeeds_at=3)
    assert done.returncode == 0, done.stderr
    assert tries == ["10.0.0.5:2377 t0", "10.0.0.5:2377 t1", "10.0.0.5:2377 t2"]
    assert done.stderr.splitlines()[-1] == "lofn-node: joined the swarm"


def test_half_an_hour_of_failures_ends_with_the_reason(tmp_path: Path) -> None:
    done, tries = watch(tmp_path, succeeds_at=10_000)
    assert done.returncode == 1
    assert 10 < len(tries) < 30
    assert "the last try to join the swarm at 10.0.0.5:2377 failed" in done.stderr


def test_a_node_that_up_has_joined_meanwhile_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "active").touch()
    done, tries = watch(tmp_path, succeeds_at=1)
    assert (done.returncode, tries) == (0, [])
    assert "already in a swarm" in done.stderr
