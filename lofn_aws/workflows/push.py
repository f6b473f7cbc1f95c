"""`push`: an image of this machine -> the cluster's registry -> every node, all at once."""

from __future__ import annotations

import time

from lofn_aws.adapters.docker_engine import DockerEngine
from lofn_aws.adapters.ssh import CommandFailed, CommandResult
from lofn_aws.adapters.streams import Compressed
from lofn_aws.errors import InfrastructureError, NotFoundError, WaitTimeout
from lofn_aws.facts.docker_progress import PushProgress, digest_of, pull_error
from lofn_aws.model.image import ImageName, LocalImage, NodePull, Pushed, nearest_names, parse_image
from lofn_aws.plan import images as plan
from lofn_aws.report.progress import Bars
from lofn_aws.workflows.attach import Attached, attached
from lofn_aws.workflows.context import Context

PUSH_SECONDS = 3600.0
PULL_SECONDS = 1800.0
CHECK_SECONDS = 30.0


def push(ctx: Context, engine: DockerEngine, text: str) -> Pushed:
    """Bring the local image ``text`` to every node of the cluster, and say under which name.

    Raises NotFoundError for an image that this machine does not have, InfrastructureError when
    the registry refuses or a node cannot pull, WaitTimeout at the deadline.
    """
    name = parse_image(text)
    image = local_image(engine, text)
    with attached(ctx) as cluster:
        check_registry(ctx, cluster, image)
        start = ctx.clock.monotonic()
        if engine.reaches_loopback():
            digest, progress = _through_tunnel(ctx, engine, cluster, image, name)
        else:
            ctx.reporter.note("this Docker Engine reaches no tunnel: the image goes as a stream")
            digest, progress = _as_stream(ctx, engine, cluster, image, name), PushProgress()
        seconds = ctx.clock.monotonic() - start
        ctx.reporter.note(f"✓ pushing {name}: {_sent(progress)}, {seconds:.1f} s")
        nodes = pull_everywhere(ctx, cluster, name)
    return Pushed(
        name.on_cluster, digest, len(progress.sent), len(progress.kept), seconds, tuple(nodes)
    )


def local_image(engine: DockerEngine, text: str) -> LocalImage:
    """Return the local image. Raises NotFoundError that names the nearest ones there are."""
    found = engine.image(text)
    if found is not None:
        return found
    near = nearest_names(text, engine.image_names())
    hint = f"; there is {', '.join(near)}" if near else ""
    raise NotFoundError(f"this machine has no image {text}{hint}", "docker images")


def check_registry(ctx: Context, cluster: Attached, image: LocalImage | None) -> None:
    """Fail early where the primary's registry is down; warn of an image for another processor."""
    try:
        told = cluster.gateway.run(None, plan.check_command(), timeout=CHECK_SECONDS)
    except CommandFailed as error:
        raise InfrastructureError(
            f"the registry on the primary of {cluster.cluster.name} does not answer: "
            f"{error.result.stderr.strip() or 'no output'}",
            "lofn-aws up",
        ) from error
    wanted = plan.ARCHITECTURES.get(told.stdout.strip(), "")
    if image is not None and wanted and wanted not in image.platform:
        ctx.reporter.warn(
            f"the image is built for {image.platform} and the nodes are linux/{wanted}: its "
            f"programs may not start (docker build --platform linux/{wanted} …)"
        )


def _through_tunnel(
    ctx: Context, engine: DockerEngine, cluster: Attached, image: LocalImage, name: ImageName
) -> tuple[str, PushProgress]:
    """Let the local engine push: it asks the registry what it lacks and sends that alone."""
    end = ctx.clock.monotonic() + ctx.deadline(PUSH_SECONDS)
    progress = PushProgress()
    wanted = plan.tunnel_port(ctx.bucket)
    with cluster.gateway.forward(plan.REGISTRY_PORT, wanted) as port, ctx.reporter.bars() as bars:
        here = f"127.0.0.1:{port}"
        # The registry's part of the name is not stored: nodes pull it as localhost:5000/NAME.
        with engine.tagged(image.id, f"{here}/{name.repository}", name.tag):
            for message in engine.push(f"{here}/{name.repository}", name.tag):
                progress = progress.after(message)
                _show(bars, progress, str(message.get("id", "")))
                if ctx.clock.monotonic() > end:
                    raise WaitTimeout(f"pushing {name} took longer than the deadline", _again(name))
    if progress.error or not progress.digest:
        why = progress.error or "the engine gave no digest"
        raise InfrastructureError(f"pushing {name} failed: {why}", _again(name))
    return progress.digest, progress


def _show(bars: Bars, progress: PushProgress, layer_id: str) -> None:
    layer = progress.layers.get(layer_id)
    if layer is None or not (layer.ended or layer.total):
        return
    done = layer.total if layer.ended else min(layer.done, layer.total)
    bars.update(f"layer {layer_id}", done, layer.total or None, layer.state)


def _as_stream(
    ctx: Context, engine: DockerEngine, cluster: Attached, image: LocalImage, name: ImageName
) -> str:
    """Send the whole image by SSH, unless the primary has it, and publish it from there."""
    timeout = ctx.deadline(PUSH_SECONDS)
    gateway = cluster.gateway
    if gateway.run(None, plan.has_image_command(image.id), timeout=CHECK_SECONDS, check=False).ok:
        result = gateway.run(None, plan.publish_command(image.id, name), timeout=timeout)
    else:
        with ctx.reporter.bars() as bars:
            stream = Compressed(
                engine.save(image.id), lambda sent: bars.update(str(name), sent, image.size)
            )
            result = gateway.run(None, plan.load_command(name), timeout=timeout, stdin=stream)
    digest = digest_of(result.stdout)
    if not digest:
        raise InfrastructureError(
            f"pushing {name} on the primary failed: {pull_error(result.stdout)}", _again(name)
        )
    return digest


def pull_everywhere(ctx: Context, cluster: Attached, name: ImageName) -> list[NodePull]:
    """Pull on every running node at once. Raises InfrastructureError that names those that failed.

    The error comes after all have ended; running the command again pulls on the rest.
    """
    command, timeout = plan.pull_command(name), ctx.deadline(PULL_SECONDS)
    took: dict[str, float] = {}

    def pull(host: str) -> CommandResult:
        start = time.monotonic()
        result = cluster.gateway.run(host, command, timeout=timeout, check=False)
        took[host] = time.monotonic() - start
        return result

    title = f"pulling {name.on_cluster} on {len(cluster.hosts)} nodes"
    with ctx.reporter.phase(title):
        outcomes = cluster.gateway.map_hosts(list(cluster.hosts.values()), pull)
        pulls = [
            NodePull(ip, round(took.get(host, 0.0), 2), _problem(outcomes[host]))
            for ip, host in cluster.hosts.items()
        ]
        failed = [pull for pull in pulls if pull.problem]
        if failed:
            told = "; ".join(f"{pull.node}: {pull.problem}" for pull in failed)
            raise InfrastructureError(f"{name.on_cluster} was not pulled on {told}", _again(name))
    for pulled in pulls:
        ctx.reporter.note(f"  {pulled.node}: {pulled.seconds:.1f} s")
    return pulls


def _problem(outcome: CommandResult | Exception) -> str:
    if isinstance(outcome, Exception):
        return str(outcome)
    return "" if outcome.ok else pull_error(outcome.stdout)


def _sent(progress: PushProgress) -> str:
    if not progress.layers:
        return "sent whole"
    size = sum(layer.total for layer in progress.sent) / 1e6
    return f"{len(progress.sent)} layers sent ({size:.1f} MB unpacked), {len(progress.kept)} kept"


def _again(name: ImageName) -> str:
    return f"lofn-aws push {name}"
