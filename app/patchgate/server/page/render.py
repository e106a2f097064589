"""Renders views as HTML, every value escaped, and holds what pages load beside it: all of it from the package."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from patchgate.policy.pace import Pace

_TYPES: Final[Mapping[str, str]] = {
    "page.css": "text/css; charset=utf-8",
    "copy.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load.

    Attributes:
        content: its bytes.
        media_type: of them.
        link: its address, relative to any page; changes with the content.
    """

    content: bytes
    media_type: str
    link: str


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders the package's templates. Safe in threads."""

    assets: Mapping[str, Asset]
    _environment: Environment

    def render(self, template: str, pace: Pace = iter, **views: object) -> bytes:
        """Render a template with its views."""
        return "".join(pace(self._environment.get_template(template).generate(views))).encode()


def make_renderer() -> Renderer:
    """Read assets and templates from the package."""
    folder = files(__package__) / "assets"
    assets = {name: _make_asset(name, (folder / name).read_bytes(), media) for name, media in _TYPES.items()}
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["assets"] = {name: asset.link for name, asset in assets.items()}
    for name in environment.list_templates():
        environment.get_template(name)  # a fault in one is found at the start, and the first to ask waits for none
    return Renderer(assets, environment)


def _make_asset(name: str, content: bytes, media_type: str) -> Asset:
    return Asset(content, media_type, f"./assets/{name}?v={hashlib.sha256(content).hexdigest()[:12]}")
