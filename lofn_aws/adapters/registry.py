"""The cluster's registry, spoken to over HTTP at a local port that a tunnel gives."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from lofn_aws.errors import InfrastructureError
from lofn_aws.model.image import ImageName

_SECONDS = 30.0
_PAGE = 1000
# https://distribution.github.io/distribution/spec/api/: without these a registry answers with
# the digest of a manifest converted to an older form, which cannot be deleted.
_MANIFESTS = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
    )
)


class Registry:
    """A registry at 127.0.0.1. Every method raises InfrastructureError when it does not answer."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}/v2/"

    def images(self) -> list[ImageName]:
        """Every repository with each of its tags, in order."""
        return [
            ImageName(repository, tag)
            for repository in self._pages("_catalog", "repositories")
            for tag in sorted(self._pages(f"{repository}/tags/list", "tags"))
        ]

    def digest(self, name: ImageName) -> str | None:
        """The digest of the image of that name; None when there is none."""
        answer = self._call("HEAD", f"{name.repository}/manifests/{name.tag}")
        return answer.get("Docker-Content-Digest") if answer is not None else None

    def delete(self, name: ImageName, digest: str) -> bool:
        """Delete an image by its digest, under all its tags; False when there is none."""
        return self._call("DELETE", f"{name.repository}/manifests/{digest}") is not None

    def _pages(self, path: str, key: str) -> list[str]:
        """Every entry of a listing, page by page."""
        found: list[str] = []
        last = ""
        while True:
            query = f"{path}?n={_PAGE}" + (f"&last={last}" if last else "")
            body, headers = self._get(query)
            page = body.get(key) or []
            found += page
            if "Link" not in headers or not page:
                return found
            last = page[-1]

    def _get(self, path: str) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        try:
            with urllib.request.urlopen(self._base + path, timeout=_SECONDS) as answer:
                return json.load(answer), dict(answer.headers)
        except urllib.error.HTTPError as error:
            if error.code == 404:  # a repository whose last tag was deleted
                return {}, {}
            raise self._failure(path, error) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise self._failure(path, error) from error

    def _call(self, method: str, path: str) -> Mapping[str, str] | None:
        request = urllib.request.Request(
            self._base + path, method=method, headers={"Accept": _MANIFESTS}
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                return dict(answer.headers)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            if error.code == 405:
                raise InfrastructureError(
                    "the cluster's registry was started so that nothing can be deleted: a new "
                    "cluster's can",
                    "lofn-aws down",
                ) from error
            raise self._failure(path, error) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._failure(path, error) from error

    @staticmethod
    def _failure(path: str, error: Exception) -> InfrastructureError:
        return InfrastructureError(
            f"the cluster's registry, asked for {path}: {error}", "lofn-aws up")
