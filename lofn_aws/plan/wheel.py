"""A wheel of the engine, made in memory: equal sources give equal bytes."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping

# Zip's earliest time: a wheel must not change because it was made later.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def build_wheel(name: str, version: str, sources: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Return (file name, content) of a pure Python wheel.

    ``sources`` maps paths inside the wheel ("lofn/api.py") to their bytes.
    Source: the binary distribution format (PEP 427).
    """
    info = f"{name}-{version}.dist-info"
    files = dict(sorted(sources.items()))
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.9\n"
    ).encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: lofn-aws\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            wheel.writestr(entry, data)
    return f"{name}-{version}-py3-none-any.whl", buffer.getvalue()


def _record(files: Mapping[str, bytes], own_path: str) -> bytes:
    lines = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}")
    return "\n".join([*lines, f"{own_path},,", ""]).encode()


def content_key(folder: str, file_name: str, data: bytes) -> str:
    """Return the key that names this content: ``<folder>/<sha256[:16]>/<file name>``."""
    return f"{folder}/{hashlib.sha256(data).hexdigest()[:16]}/{file_name}"
