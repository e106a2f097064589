"""What a registry answered."""

import json
from dataclasses import dataclass, field

from urllib3 import HTTPHeaderDict

from patchgate.patcher.oci.destination import find_origin


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, its body read within limits.

    Attributes:
        asked: the URL that was asked first.
        url: where it came from, after redirects.
        proxy: by way of which it came; empty for none.
    """

    status: int
    headers: HTTPHeaderDict
    body: bytes = field(repr=False)
    asked: str
    url: str
    proxy: str = ""

    @property
    def is_of_another_host(self) -> bool:
        """Whether a redirect led to another host, port or scheme than was asked."""
        return find_origin(self.asked) != find_origin(self.url)

    @property
    def code(self) -> str:
        """The registry's error code, such as `MANIFEST_UNKNOWN`; empty where it gives none."""
        return str(self._error.get("code", ""))

    @property
    def says(self) -> str:
        """What the registry says of it in words (OCI distribution specification 1.1, "Error Codes"), or nothing."""
        error = self._error
        return f"{error.get('code', '')}: {error.get('message', '')}".strip(": ") if error else ""

    @property
    def _error(self) -> dict[str, object]:
        try:
            error = json.loads(self.body)["errors"][0]
        except (ValueError, LookupError, TypeError, RecursionError):
            return {}
        return error if isinstance(error, dict) else {}
