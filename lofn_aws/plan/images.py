"""The shell commands that load, publish and pull an image on a node (pure)."""

from __future__ import annotations

import hashlib
import shlex

from lofn_aws.model.image import ImageName

REGISTRY_PORT = 5000
# What `uname -m` says on a node -> what Docker calls it.
_LOADED = r"sed -n 's/^Loaded image\( ID\)\{0,1\}: //p'"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def tunnel_port(bucket: str) -> int:
    """The local port for pushes to the registry that keeps its images in ``bucket``.

    Always the same one, because Docker Engine knows a registry by host and port: only then does
    it ask the registry to mount layers of another repository instead of sending them again. From
    20000 to 29999, below the ports that Linux hands out (32768 and up).
    """
    return 20_000 + int.from_bytes(hashlib.sha256(bucket.encode()).digest()[:4], "big") % 10_000


def check_command() -> str:
    """Say the primary's architecture, and fail where its registry does not answer."""
    return f"uname -m && curl -fsS -m 10 -o /dev/null http://127.0.0.1:{REGISTRY_PORT}/v2/"


def pull_command(name: ImageName) -> str:
    """Pull from the node's own registry."""
    return f"sudo -n docker pull {shlex.quote(name.on_cluster)} 2>&1"


def remove_command(name: ImageName) -> str:
    """Remove the name from a node; one that is not there is no error."""
    target = shlex.quote(name.on_cluster)
    return f"! sudo -n docker image inspect {target} >/dev/null 2>&1 || sudo -n docker rmi {target}"


def has_image_command(image_id: str) -> str:
    """Succeed where the node's engine has the image of that id."""
    return f"sudo -n docker image inspect {shlex.quote(image_id)} >/dev/null 2>&1"


def publish_command(image_id: str, name: ImageName) -> str:
    """Push an image that the node's engine has to its registry, as ``name``."""
    target = shlex.quote(name.on_cluster)
    return (
        f"sudo -n docker tag {shlex.quote(image_id)} {target} && sudo -n docker push {target} 2>&1"
    )


def load_command(name: ImageName) -> str:
    """Load what comes in on standard input (``docker save``'s form) and publish it as ``name``.

    An archive that was cut short makes ``docker load`` fail, so that half an image is never
    published. An engine that keeps images by another id prints a name instead of an id; that
    name is removed again.
    """
    target = shlex.quote(name.on_cluster)
    return (
        "said=$(sudo -n docker load) || exit 1; "
        f"loaded=$(printf '%s\\n' \"$said\" | {_LOADED} | tail -n 1); "
        '[ -n "$loaded" ] || { printf \'%s\\n\' "$said" >&2; exit 1; }; '
        f'sudo -n docker tag "$loaded" {target} && sudo -n docker push {target} 2>&1 || exit 1; '
        f'case $loaded in sha256:*|{target}) ;; *) sudo -n docker rmi "$loaded" >/dev/null ;; esac'
    )
