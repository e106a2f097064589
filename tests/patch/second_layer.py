"""Adds a layer of files to an OCI layout of one manifest, as a Dockerfile's COPY does."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def add_layer(layout: Path, files: Mapping[str, bytes]) -> Path:
    """Add the files, by their paths in the image; gives the layout back."""
    blobs = layout / "blobs/sha256"
    top = json.loads((layout / "index.json").read_text())
    manifest = _read(blobs, top["manifests"][0])
    configuration = _read(blobs, manifest["config"])
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    layer = _write(blobs, tar.getvalue(), {"mediaType": "application/vnd.oci.image.layer.v1.tar"})
    configuration["rootfs"]["diff_ids"].append(layer["digest"])
    configuration["history"].append({"created": configuration["created"], "created_by": "COPY"})
    manifest["layers"].append(layer)
    manifest["config"] = _write(blobs, json.dumps(configuration).encode(), manifest["config"])
    top["manifests"][0] = _write(blobs, json.dumps(manifest).encode(), top["manifests"][0])
    (layout / "index.json").write_text(json.dumps(top))
    return layout


def _read(blobs: Path, descriptor: Mapping[str, str]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((blobs / descriptor["digest"].removeprefix("sha256:")).read_text())
    return read


def _write(blobs: Path, content: bytes, descriptor: Mapping[str, Any]) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {**descriptor, "digest": f"sha256:{digest}", "size": len(content)}
