"""The one room that talks to Docker: images, containers, their ends and their leftovers."""

from __future__ import annotations

import base64
import json
import os
import time
from contextlib import suppress
from typing import Any

from lofn.docker_handler import DockerFailure
from lofn.docker_http import ApiError, Transport, quoted
from lofn.errors import ImageMissing

LABEL = "lofn"
_PULL_SECONDS = 1800.0
_HUB = "https://index.docker.io/v1/"


class Docker:
    """Docker Engine of this node, as far as the engine needs it. One thread at a time."""

    def __init__(self, seconds: float = 120.0) -> None:
        self._http = Transport(seconds)

    def close(self) -> None:
        """Drop the connection."""
        self._http.close()

    # -- images -----------------------------------------------------------------------------

    def image(self, name: str) -> dict[str, Any] | None:
        """Return what the engine knows of an image on this node, None where it is not here."""
        try:
            found: dict[str, Any] = self._http.json("GET", f"/images/{quoted(name)}/json")
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return found

    def check_image(self, name: str) -> None:
        """Make sure that ``name`` is here or in its registry, without pulling it.

        Raises ImageMissing with the registry's reason.
        """
        if self.image(name) is not None:
            return
        try:
            self._http.json(
                "GET", f"/distribution/{quoted(name)}/json", headers=_registry_auth(name)
            )
        except ApiError as error:
            raise _missing(name, error.reason) from None

    def pull(self, name: str) -> None:
        """Pull an image. Raises ImageMissing with the registry's reason."""
        plain = "@" in name or ":" in name.rsplit("/", 1)[-1]
        query = {"fromImage": name if plain else f"{name}:latest"}
        slow = Docker(_PULL_SECONDS)
        try:
            said = slow._http.request(
                "POST", "/images/create", query=query, headers=_registry_auth(name)
            )
        except ApiError as error:
            raise _missing(name, error.reason) from None
        finally:
            slow.close()
        for line in said.splitlines():
            problem = json.loads(line).get("error")
            if problem:
                raise _missing(name, problem)

    # -- containers -------------------------------------------------------------------------

    def create(self, name: str, body: dict[str, Any], *, pull: bool = True) -> str:
        """Create a container, pulling its image first where the node lacks it; return its id."""
        try:
            made = self._http.json(
                "POST", "/containers/create", query={"name": name}, body=body, repeatable=False
            )
        except ApiError as error:
            if error.status != 404 or not pull or "image" not in error.reason.lower():
                raise
            self.pull(body["Image"])
            return self.create(name, body, pull=False)
        return str(made["Id"])

    def start(self, name: str) -> None:
        """Start a created container; starting one that runs already is no error."""
        self._http.request("POST", f"/containers/{quoted(name)}/start")

    def inspect(self, name: str) -> dict[str, Any] | None:
        """Return what the engine knows of a container, None where there is none."""
        try:
            found: dict[str, Any] = self._http.json("GET", f"/containers/{quoted(name)}/json")
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return found

    def wait(self, name: str) -> int:
        """Wait until a container has ended, however long it takes, and return its exit code.

        Asks again every half minute, so that an engine that restarted meanwhile is noticed.
        Raises DockerFailure once the container is gone.
        """
        while True:
            waiter = Docker(30.0)
            try:
                said = waiter._http.json("POST", f"/containers/{quoted(name)}/wait")
                return int(said["StatusCode"])
            except ApiError:
                raise
            except DockerFailure:
                found = self.inspect(name)
                if found is None:
                    raise
                if not found["State"]["Running"]:
                    return int(found["State"]["ExitCode"])
            finally:
                waiter.close()

    def runs(self, name: str) -> bool:
        """Tell whether a container is there and runs."""
        found = self.inspect(name)
        return found is not None and bool(found["State"]["Running"])

    def rename(self, name: str, new: str) -> None:
        """Give a container another name; nothing depends on it, so refusals are ignored."""
        with suppress(ApiError):
            self._http.request("POST", f"/containers/{quoted(name)}/rename", query={"name": new})

    def ending(self, container: str, since: float) -> tuple[int | None, bool]:
        """Tell a container's exit code, None while it runs, and whether memory ended something.

        Looks at the engine's events from ``since`` (seconds of `time.time`) until now, which
        outlast the container itself.
        """
        query = {
            "since": f"{since - 1:.3f}",
            "until": f"{time.time() + 0.001:.3f}",
            "filters": json.dumps({"container": [container], "event": ["oom", "die"]}),
        }
        code, memory = None, False
        for line in self._http.request("GET", "/events", query=query).splitlines():
            event = json.loads(line)
            if event.get("Action") == "oom":
                memory = True
            else:
                code = int(event["Actor"]["Attributes"].get("exitCode", -1))
        return code, memory

    def stderr_tail(self, name: str, lines: int) -> bytes:
        """Return the last lines a container wrote through Docker's own log."""
        said = self._http.request(
            "GET",
            f"/containers/{quoted(name)}/logs",
            query={"stdout": 1, "stderr": 1, "tail": lines},
        )
        return _unframed(said)

    def has_file(self, name: str, path: str) -> bool:
        """Tell whether a path exists in a container's file system."""
        try:
            self._http.request("HEAD", f"/containers/{quoted(name)}/archive", query={"path": path})
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    def extract(self, name: str, path: str, tar: bytes) -> None:
        """Unpack a tar in a container's file system or mounts, with the engine's rights."""
        self._http.request(
            "PUT", f"/containers/{quoted(name)}/archive", query={"path": path}, body=tar
        )

    def remove(self, name: str) -> None:
        """Kill and remove a container; one that is gone, or going, is no error."""
        try:
            self._http.request("DELETE", f"/containers/{quoted(name)}", query={"force": 1, "v": 1})
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    def labelled(self, **labels: str) -> list[dict[str, Any]]:
        """List containers, running or not, that carry all of ``lofn=1`` and lofn.<name>=<value>.

        Those that Docker is removing are left out: their processes have ended, and Docker 20.10
        goes on listing some that it has removed.
        """
        wanted = [f"{LABEL}=1", *(f"{LABEL}.{name}={value}" for name, value in labels.items())]
        found: list[dict[str, Any]] = self._http.json(
            "GET",
            "/containers/json",
            query={"all": 1, "filters": json.dumps({"label": wanted})},
        )
        return [container for container in found if container.get("State") != "removing"]


def digest_of(image: dict[str, Any] | None) -> str:
    """Return the digest to name an image by: its registry's, else its own id."""
    if not image:
        return ""
    digests = image.get("RepoDigests") or []
    return str(digests[0].rsplit("@", 1)[-1] if digests else image.get("Id", ""))


def _missing(name: str, reason: str) -> ImageMissing:
    return ImageMissing(
        f"image {name!r} is not on the node and cannot be pulled: {reason}; check the name, or "
        "push it to the registry that the nodes use"
    )


def _registry_auth(name: str) -> dict[str, str]:
    """Make the header for a registry that the user has logged in to (`docker login`)."""
    first = name.split("/", 1)[0]
    registry = first if "/" in name and (set(first) & set(".:") or first == "localhost") else _HUB
    folder = os.environ.get("DOCKER_CONFIG") or os.path.join(os.path.expanduser("~"), ".docker")
    try:
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            entry = json.load(file).get("auths", {}).get(registry, {})
        user, password = base64.b64decode(entry["auth"]).decode().split(":", 1)
    except (OSError, ValueError, KeyError, AttributeError):
        return {}
    token = {"username": user, "password": password, "serveraddress": registry}
    return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(token).encode()).decode()}


def _unframed(said: bytes) -> bytes:
    """Take the texts out of Docker's log stream: 8 bytes of header, the last 4 the length."""
    texts = []
    at = 0
    while at + 8 <= len(said):
        size = int.from_bytes(said[at + 4 : at + 8], "big")
        texts.append(said[at + 8 : at + 8 + size])
        at += 8 + size
    return b"".join(texts)
