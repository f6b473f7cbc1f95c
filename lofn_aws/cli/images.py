"""`push` and `image`: images of the cluster's registry."""

from __future__ import annotations

import click

from lofn_aws.cli.context import context
from lofn_aws.cli.options import common_options, timeout_option


@click.group()
@common_options
def image() -> None:
    """Push, list and remove images of the cluster's registry."""


@click.command()
@click.argument("image_name", metavar="IMAGE[:TAG]")
@timeout_option
@common_options
def push(image_name: str) -> None:
    """Push an image of this machine to the cluster's registry, and pull it on every node.

    Only the layers that the registry lacks are sent. Prints the name that scripts and steps use.
    """
    from lofn_aws.adapters.docker_engine import DockerEngine
    from lofn_aws.workflows.push import push as push_image

    ctx = context()
    pushed = push_image(ctx, DockerEngine(), image_name)
    ctx.reporter.data(pushed.name, pushed)


image.add_command(push)


@image.command(name="list")
@common_options
def list_() -> None:
    """List the images of the cluster's registry, by the names that scripts use."""
    from lofn_aws.workflows.images import image_list

    ctx = context()
    found = image_list(ctx)
    ctx.reporter.data("\n".join(stored.name for stored in found) or "no images yet", found)


@image.command()
@click.argument("image_name", metavar="IMAGE[:TAG]")
@common_options
def rm(image_name: str) -> None:
    """Remove an image from the cluster's registry and from its nodes."""
    from lofn_aws.workflows.images import image_remove

    ctx = context()
    removed = image_remove(ctx, image_name)
    ctx.reporter.data(f"removed {removed.name}", removed)
