"""``python -m muapi_client.cli``: the same as ``muapi-client``."""

from __future__ import annotations

import sys

from muapi_client.cli import main

if __name__ == "__main__":
    sys.exit(main())
