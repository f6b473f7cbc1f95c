"""The registry's image in the bucket, so that nodes need no public registry."""

import tempfile
from pathlib import Path

from lofn_aws.adapters.aws_errors import translate
from lofn_aws.adapters.docker_engine import DockerEngine
from lofn_aws.adapters.ssh import Gateway
from lofn_aws.errors import InfrastructureError
from lofn_aws.workflows.context import Context

# What `uname -m` prints on a node → Docker's name of it.
PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}
PULL = "-"


def registry_tar(ctx: Context, gateway: Gateway) -> str:
    """Return the s3:// address of a tar of the registry image, "-" when nodes must pull it.

    The tar is made from the local Docker Engine, if there is one that has the image for the
    nodes' kind of machine, and uploaded once under its id.
    """
    name = ctx.settings.registry_image
    engine = DockerEngine()
    try:
        image = engine.image(name)
    except InfrastructureError as error:
        ctx.reporter.detail(f"{error.message}; nodes pull {name}")
        return PULL
    machine = gateway.run(None, "uname -m", timeout=30).stdout.strip()
    if image is None or image.platform != PLATFORMS.get(machine):
        return PULL
    key = f"images/registry-{image.id.removeprefix('sha256:')[:16]}.tar"
    with translate(f"uploading the image {name}"):
        if not ctx.s3.exists(ctx.bucket, key):
            _upload(ctx, engine, name, key)
    return f"s3://{ctx.bucket}/{key}"


def _upload(ctx: Context, engine: DockerEngine, name: str, key: str) -> None:
    with tempfile.TemporaryDirectory(prefix="lofn-aws-") as folder:
        path = Path(folder) / "image.tar"
        with path.open("wb") as stream:
            for piece in engine.save(name):
                stream.write(piece)
        ctx.s3.put_file(ctx.bucket, key, path)
