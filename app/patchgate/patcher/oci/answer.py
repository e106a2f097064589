"""What a registry answered."""

import json
from dataclasses import dataclass, field

from urllib3 import HTTPHeaderDict


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, its body read within limits.

    Attributes:
        url: where it came from, after redirects.
    """

    status: int
    headers: HTTPHeaderDict
    body: bytes = field(repr=False)
    url: str

    @property
    def says(self) -> str:
        """What the registry says of it in words (OCI distribution specification 1.1, "Error Codes"), or nothing."""
        try:
            error = json.loads(self.body)["errors"][0]
            return f"{error.get('code', '')}: {error.get('message', '')}".strip(": ")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return ""
