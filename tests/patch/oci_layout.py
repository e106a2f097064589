"""OCI image layouts of a root filesystem (Image Format Specification v1.1): a manifest, or an index of platforms."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.patch.root_filesystem import RootFilesystem

MEDIA = "application/vnd.oci.image"
CREATED = "2024-01-01T00:00:00Z"
Descriptor = dict[str, object]


def write_layout(
    folder: Path,
    root: RootFilesystem,
    platforms: Sequence[str] = ("linux/amd64",),
    labels: Mapping[str, str] | None = None,
) -> Path:
    """Write a layout into a folder, which it makes and gives back; one platform is a manifest, more are an index.

    The root filesystem is the same for each platform, as nothing runs it: a platform is what the configuration says.
    labels: of the configuration; other labels are another image.
    """
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    (blobs / root.layer_digest.removeprefix("sha256:")).symlink_to(root.layer)
    layer = _describe("layer.v1.tar+gzip", root.layer_digest, root.layer.stat().st_size)
    manifests = [_add_manifest(blobs, root, layer, platform, labels or {}) for platform in platforms]
    top = dict(manifests[0])
    del top["platform"]
    if len(manifests) > 1:
        index = {"schemaVersion": 2, "mediaType": f"{MEDIA}.index.v1+json", "manifests": manifests}
        top = _add(blobs, "index.v1+json", index)
    named = top | {"annotations": {"org.opencontainers.image.ref.name": "latest"}}
    (folder / "index.json").write_bytes(_dump({"schemaVersion": 2, "manifests": [named]}))
    (folder / "oci-layout").write_bytes(_dump({"imageLayoutVersion": "1.0.0"}))
    return folder


def _add_manifest(
    blobs: Path, root: RootFilesystem, layer: Descriptor, platform: str, labels: Mapping[str, str]
) -> Descriptor:
    names = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
    settings = {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["/bin/sh"], "User": "65532", "Labels": labels}
    configuration = {
        "created": CREATED,
        **names,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [root.diff_id]},
        "history": [{"created": CREATED, "created_by": "mmdebstrap"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{MEDIA}.manifest.v1+json",
        "config": _add(blobs, "config.v1+json", configuration),
        "layers": [layer],
    }
    return _add(blobs, "manifest.v1+json", manifest) | {"platform": names}


def _add(blobs: Path, media: str, content: object) -> Descriptor:
    data = _dump(content)
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return _describe(media, f"sha256:{digest}", len(data))


def _describe(media: str, digest: str, size_bytes: int) -> Descriptor:
    return {"mediaType": f"{MEDIA}.{media}", "digest": digest, "size": size_bytes}


def _dump(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
