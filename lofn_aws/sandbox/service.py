"""The EMR service: one WSGI callable that answers EMR's operations with what really happens."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from lofn_aws.sandbox import protocol
from lofn_aws.sandbox.account import Account
from lofn_aws.sandbox.boot import NodeBooter
from lofn_aws.sandbox.boot_report import Ending
from lofn_aws.sandbox.faults import Fault, internal, invalid
from lofn_aws.sandbox.idle import IdleClock
from lofn_aws.sandbox.lifecycle import Lifecycle
from lofn_aws.sandbox.logs import LogPusher
from lofn_aws.sandbox.node_api import Nodes
from lofn_aws.sandbox.operations.clusters import ClusterOperations
from lofn_aws.sandbox.operations.context import Context
from lofn_aws.sandbox.operations.instances import InstanceOperations
from lofn_aws.sandbox.operations.releases import ReleaseOperations
from lofn_aws.sandbox.operations.settings import SettingsOperations
from lofn_aws.sandbox.operations.steps import StepOperations
from lofn_aws.sandbox.resize import Resizer
from lofn_aws.sandbox.state import Cluster, Store
from lofn_aws.sandbox.steps import StepRunner
from lofn_aws.sandbox.watch import Watch

log = logging.getLogger(__name__)

Operation = Callable[..., dict[str, Any]]


class EmrService:
    """EMR over a node engine.

    Args:
        engine: what makes nodes and runs commands on them.
        account: IAM, EC2 and S3 of the same endpoint.
        addresses: the addresses that nodes may have.
        node_image: the tag of the nodes' image.
        access: region, s3_endpoint, access_key and secret_key that nodes are told.
    """

    def __init__(
        self,
        engine: Nodes,
        account: Account,
        addresses: Sequence[str],
        node_image: str,
        access: Mapping[str, str],
    ) -> None:
        store = Store()
        pusher = LogPusher(engine, account)
        booter = NodeBooter(engine, account, node_image, access)

        def when_ready(cluster: Cluster) -> None:
            steps.serve(cluster)

        lifecycle = Lifecycle(
            store, engine, booter, pusher, addresses=addresses, when_ready=when_ready
        )
        steps = StepRunner(store, engine, account, pusher, lifecycle)
        resizer = Resizer(store, engine, lifecycle, pusher)
        self._store = store
        self._lifecycle = lifecycle
        self._watch = Watch(
            store,
            engine,
            lifecycle=lifecycle,
            resizer=resizer,
            idle=IdleClock(engine),
            pusher=pusher,
        )
        context = Context(store, account, lifecycle, steps, resizer, self._watch)
        self._operations = _operations(context)
        self._watch.start()

    @property
    def implemented(self) -> list[str]:
        """The names of the operations that are executed, sorted."""
        return sorted(self._operations)

    def __call__(
        self, environ: Mapping[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request of the JSON 1.1 protocol."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        status, answer = self.answer(environ.get("HTTP_X_AMZ_TARGET", ""), body)
        headers = [
            ("Content-Type", protocol.CONTENT_TYPE),
            ("Content-Length", str(len(answer))),
        ]
        start_response(status, headers)
        return [answer]

    def answer(self, target: str, body: bytes) -> tuple[str, bytes]:
        """Return the HTTP status line and the body that answer a request."""
        try:
            call = protocol.parse(target, body)
            result = self._operation(call.operation)(**call.parameters)
            return "200 OK", protocol.serialise(call.operation, result)
        except Fault as refusal:
            log.info("%s refused: %s", target, refusal)
            fault = refusal
        except Exception as error:
            log.exception("%s failed", target)
            fault = internal(f"{type(error).__name__}: {error}")
        reason = "Bad Request" if fault.status == 400 else "Internal Server Error"
        return f"{fault.status} {reason}", protocol.serialise_fault(fault)

    def _operation(self, name: str) -> Operation:
        operation = self._operations.get(name)
        if operation is None:
            raise invalid(
                f"The sandbox does not implement {name}. It implements "
                f"{', '.join(self.implemented)}."
            )
        return operation

    def shut_down(self) -> None:
        """End every cluster; their nodes go in the background."""
        self._watch.stop()
        for cluster in self._store.alive():
            ending = Ending("USER_REQUEST", "The sandbox was stopped")
            self._lifecycle.end(cluster, "TERMINATED", ending)


def _operations(context: Context) -> dict[str, Operation]:
    """Return every public method of the operation classes that EMR's model has, by name."""
    found: dict[str, Operation] = {}
    for kind in (
        ClusterOperations,
        InstanceOperations,
        StepOperations,
        SettingsOperations,
        ReleaseOperations,
    ):
        for name, method in inspect.getmembers(kind(context), inspect.ismethod):
            if not name.startswith("_"):
                found[name] = method
    unknown = set(found) - set(protocol.service_model().operation_names)
    if unknown:
        raise ValueError(f"EMR's model has no operation {sorted(unknown)}")
    return found
