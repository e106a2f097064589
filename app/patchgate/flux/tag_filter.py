"""Which tags of a repository Flux may choose from, and by what it orders them: `TAG-patched-YYYYMMDD[.NN]` alone.

The syntax is that of Go's regexp (github.com/google/re2/wiki/Syntax). What `$ts` extracts is compared as a number
(image-reflector-controller, internal/policy/numerical.go): 20260509.10 after 20260509.02 after 20260509, which is why
the patcher writes two digits. Candidates, platform tags (`-amd64`) and tags of other versions never match.
"""

import re
from typing import Final

_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""What Go's regexp.QuoteMeta quotes; Python's re.escape quotes more."""
EXTRACT: Final = "$ts"
"""What of a matching tag is compared."""


def make_pattern(tag: str) -> str:
    """Make the pattern of the patched tags of one source tag."""
    quoted = _SPECIAL.sub(lambda found: f"\\{found[0]}", tag)
    return rf"^{quoted}-patched-(?P<ts>[0-9]{{8}}(?:\.[0-9]{{2}})?)$"
