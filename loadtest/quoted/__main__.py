"""`make figures`: writes figures of the results into the documents that quote them; exits 2 where one is missing."""

import sys

from loadtest.quoted.pages import ROOT, write_pages
from loadtest.quoted.table import QuoteError


def main() -> int:
    """Write, and say what was written."""
    try:
        for page in write_pages():
            print(page.relative_to(ROOT))
    except QuoteError as error:
        print(f"make figures: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
