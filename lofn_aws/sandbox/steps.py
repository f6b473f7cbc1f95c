"""Runs the steps of clusters on their primaries, in order, and does what ActionOnFailure says."""

from __future__ import annotations

import logging
import threading
import time

from lofn_aws.sandbox import hadoop, jobs
from lofn_aws.sandbox.account import Account
from lofn_aws.sandbox.boot_report import Ending
from lofn_aws.sandbox.lifecycle import Lifecycle
from lofn_aws.sandbox.logs import STEP_LOGS, LogPusher
from lofn_aws.sandbox.node_api import Nodes
from lofn_aws.sandbox.state import Cluster, Step, Store, now
from lofn_aws.sandbox.step_command import BadStep, environment, execution, failure_message

log = logging.getLogger(__name__)

STEP_FOLDERS = "/mnt/var/lib/hadoop/steps"
# EMR lets a step run until its cluster ends; a week is longer than any sandbox.
STEP_SECONDS = 7 * 24 * 3600.0
SCHEDULE_SECONDS = 5.0
APPLICATIONS_END_SECONDS = 10.0
VERDICT_SECONDS = 5.0
VERDICT_POLL_SECONDS = 0.5
STDERR_TAIL_BYTES = 64 * 1024
SIGNALS = {"SEND_INTERRUPT": "TERM", "TERMINATE_PROCESS": "KILL"}


class StepRunner:
    """Schedules and runs steps; one scheduling thread per cluster that is ready.

    Args:
        store: the service's memory.
        engine: the node engine.
        account: where scripts and jars of steps are read from.
        pusher: copies logs to S3.
        lifecycle: ends clusters.
    """

    def __init__(
        self,
        store: Store,
        engine: Nodes,
        account: Account,
        pusher: LogPusher,
        lifecycle: Lifecycle,
    ) -> None:
        self._store = store
        self._engine = engine
        self._account = account
        self._pusher = pusher
        self._lifecycle = lifecycle

    def serve(self, cluster: Cluster) -> None:
        """Run the cluster's steps, present and future, in the background until it ends."""
        self._lifecycle.work(cluster, self._schedule)

    def cancel(self, cluster: Cluster, step: Step, option: str) -> None:
        """Cancel a pending step at once, or ask a running one's processes to end.

        The caller holds the store's lock.
        """
        if step.status.state == "PENDING":
            step.status.become("CANCELLED", message="Cancelled by user")
            step.status.ended = now()
            return
        step.cancel = option
        step.status.become("CANCEL_PENDING")
        threading.Thread(target=self._signal, args=(cluster, step, option), daemon=True).start()

    def _signal(self, cluster: Cluster, step: Step, option: str) -> None:
        try:
            self._job(cluster, step).signal(SIGNALS[option])
        except jobs.JobLost as error:
            log.warning("%s: %s could not be signalled: %s", cluster.id, step.id, error)

    def _schedule(self, cluster: Cluster) -> None:
        while not cluster.stopping.is_set():
            with self._store.locked():
                chosen = self._choose(cluster)
                if chosen:
                    self._begin(cluster, chosen)
                elif not cluster.active_steps():
                    self._rest(cluster)
                if not cluster.stopping.is_set():
                    self._store.wait(SCHEDULE_SECONDS)

    @staticmethod
    def _choose(cluster: Cluster) -> list[Step]:
        running = [s for s in cluster.steps if s.status.state in ("RUNNING", "CANCEL_PENDING")]
        pending = [s for s in cluster.steps if s.status.state == "PENDING"]
        return pending[: max(0, cluster.concurrency - len(running))]

    def _begin(self, cluster: Cluster, chosen: list[Step]) -> None:
        with self._store.changing():
            cluster.status.become("RUNNING", message="Running step")
            for step in chosen:
                step.status.become("RUNNING")
                step.status.ready = now()
        for step in chosen:
            threading.Thread(
                target=self._run, args=(cluster, step), name=step.id, daemon=True
            ).start()

    def _rest(self, cluster: Cluster) -> None:
        """Leave the cluster waiting, or end it where it is not to be kept without steps."""
        failed = any(step.status.state == "FAILED" for step in cluster.steps)
        if not cluster.keep_alive:
            message = "Steps completed with errors" if failed else "Steps completed"
            self._lifecycle.end(cluster, "TERMINATED", Ending("ALL_STEPS_COMPLETED", message))
        elif cluster.status.state == "RUNNING":
            ran = [step for step in cluster.steps if step.status.ready is not None]
            last = max(ran, key=lambda step: step.status.ended or step.status.created)
            with self._store.changing():
                how = last.status.state.lower()
                cluster.status.become("WAITING", message=f"Cluster ready after last step {how}.")

    def _job(self, cluster: Cluster, step: Step) -> jobs.Job:
        primary = cluster.primary
        if primary is None:
            raise jobs.JobLost("there is no primary node")
        work, logs = f"{STEP_FOLDERS}/{step.id}", f"{STEP_LOGS}/{step.id}"
        return jobs.Job(self._engine, primary.ec2_id, work, logs)

    def _run(self, cluster: Cluster, step: Step) -> None:
        log.info("%s: %s '%s' starts", cluster.id, step.id, step.name)
        code, reason = self._outcome(cluster, step)
        ended = now()
        if cluster.stopping.is_set():
            return
        failure = None if code == 0 else self._failure(cluster, step, reason)
        self._pusher.push_step(cluster, step)
        with self._store.changing():
            if cluster.stopping.is_set():
                return
            self._settle(cluster, step, code, failure)
            step.status.ended = ended
        log.info("%s: %s %s, exit code %s", cluster.id, step.id, step.status.state, code)
        self._push_containers(cluster)

    def _outcome(self, cluster: Cluster, step: Step) -> tuple[int | None, str]:
        """Return a step's exit code, or None with why the node gave none: it has failed then."""
        try:
            return self._execute(cluster, step), "Unknown Error."
        except BadStep as error:
            log.info("%s: %s cannot run: %s", cluster.id, step.id, error)
            return None, str(error)
        except Exception as error:
            log.warning("%s: %s: %s", cluster.id, step.id, error)
            self._await_verdict(cluster)
            return None, str(error)

    def _await_verdict(self, cluster: Cluster) -> None:
        """Where the primary itself is gone, let that end the cluster, not the lost step."""
        end = time.monotonic() + VERDICT_SECONDS
        # Docker may take a moment until it says that a container it lost has stopped.
        while time.monotonic() < end and not cluster.stopping.wait(VERDICT_POLL_SECONDS):
            if not self._primary_lives(cluster):
                end = time.monotonic() + VERDICT_SECONDS

    def _primary_lives(self, cluster: Cluster) -> bool:
        primary = cluster.primary
        try:
            return primary is None or self._engine.alive(primary.ec2_id)
        except Exception as error:
            log.warning("%s: whether its primary lives is not known: %s", cluster.id, error)
            return True

    def _execute(self, cluster: Cluster, step: Step) -> int:
        primary = cluster.primary
        if primary is None:
            raise jobs.JobLost("there is no primary node")
        folder = f"{STEP_FOLDERS}/{step.id}"
        plan = execution(step, folder)
        job = self._job(cluster, step)
        job.prepare()
        for target, uri in plan.downloads.items():
            data = self._account.read_object(uri)
            if data is None:
                raise BadStep(f"{uri} does not exist")
            self._engine.put_file(primary.ec2_id, target, data, mode=0o755, owner="hadoop")
        syslog = f"{STEP_LOGS}/{step.id}/syslog"
        self._engine.put_file(primary.ec2_id, syslog, b"", owner="hadoop")
        job.start(plan.argv, environment(step, cluster.id))
        if step.cancel:  # it was asked for before there was a process to signal
            job.signal(SIGNALS[step.cancel])
        return job.wait(cluster.stopping.is_set, STEP_SECONDS)

    def _failure(self, cluster: Cluster, step: Step, reason: str) -> dict[str, str]:
        failure = {"Reason": reason}
        message = failure_message(self._stderr(cluster, step))
        if message:
            failure["Message"] = message
        if cluster.log_uri:
            failure["LogFile"] = f"{cluster.log_uri}/{cluster.id}/steps/{step.id}/stderr.gz"
        return failure

    def _stderr(self, cluster: Cluster, step: Step) -> str:
        primary = cluster.primary
        if primary is None:
            return ""
        command = ["tail", "-c", str(STDERR_TAIL_BYTES), f"{STEP_LOGS}/{step.id}/stderr"]
        try:
            result = self._engine.exec(primary.ec2_id, command, timeout=30)
        except Exception as error:
            log.warning("%s: no stderr of %s: %s", cluster.id, step.id, error)
            return ""
        return str(result.stdout.decode(errors="replace"))

    def _settle(
        self, cluster: Cluster, step: Step, code: int | None, failure: dict[str, str] | None
    ) -> None:
        """Record how a step ended and what follows; the caller holds the store's lock."""
        if step.cancel:
            step.status.become("CANCELLED", message="Cancelled by user")
        elif code == 0:
            step.status.become("COMPLETED")
        else:
            step.status.become("FAILED")
            step.failure = failure
            # With steps in parallel, EMR does not act on a failure.
            if cluster.concurrency == 1 and step.action_on_failure != "CONTINUE":
                self._act_on_failure(cluster, step.action_on_failure)

    def _act_on_failure(self, cluster: Cluster, action: str) -> None:
        for step in cluster.steps:
            if step.status.state == "PENDING":
                step.status.become("CANCELLED", message="An earlier step failed")
                step.status.ended = now()
        # EMR's guide, "Managing cluster termination": a protected cluster that is kept alive
        # stays; one that is not kept alive ends, whichever of the two actions it was.
        stays = cluster.keep_alive and (action == "CANCEL_AND_WAIT" or cluster.protected)
        if not stays:
            ending = Ending("STEP_FAILURE", "Shut down as step failed")
            self._lifecycle.end(cluster, "TERMINATED_WITH_ERRORS", ending)

    def _push_containers(self, cluster: Cluster) -> None:
        """Copy the logs of YARN's containers, when their applications have ended."""
        primary = cluster.primary
        if primary is None or cluster.log_uri is None:
            return
        end = time.monotonic() + APPLICATIONS_END_SECONDS
        while time.monotonic() < end and not cluster.stopping.is_set():
            try:
                if not hadoop.unfinished_applications(primary.ip):
                    break
            except hadoop.Unreachable:
                break
            time.sleep(1.0)
        self._pusher.push_containers(cluster)
