"""Platforms, normalised as containerd does (github.com/containerd/platforms, `Normalize`). Pure."""

from typing import Final

_ARCHITECTURES: Final = {"i386": "386", "x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
_IMPLIED: Final = frozenset({("amd64", "v1"), ("arm64", "8"), ("arm64", "v8")})
_ARM_VARIANTS: Final = {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"}
_ARM_NAMES: Final = {"armhf": "v7", "armel": "v6"}


def name_platform(system: str, architecture: str, variant: str = "") -> str:
    """Name a platform: `linux/amd64`, `linux/arm/v7`; two that run the same images have one name.

    `linux/arm` is `linux/arm/v7`; `linux/arm64/v8` is `linux/arm64`, and `linux/amd64/v1` is `linux/amd64`.
    """
    system, architecture, variant = system.lower(), architecture.lower(), variant.lower()
    if architecture in _ARM_NAMES:
        architecture, variant = "arm", _ARM_NAMES[architecture]
    architecture = _ARCHITECTURES.get(architecture, architecture)
    if architecture == "arm":
        variant = _ARM_VARIANTS.get(variant, variant)
    variant = "" if (architecture, variant) in _IMPLIED or architecture == "386" else variant
    return "/".join(filter(None, ("darwin" if system == "macos" else system, architecture, variant)))


def normalise_platform(name: str) -> str:
    """Normalise a platform's name; one without an architecture stays as it is."""
    system, _, rest = name.partition("/")
    architecture, _, variant = rest.partition("/")
    return name_platform(system, architecture, variant) if architecture else name
