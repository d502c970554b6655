"""The matrix is a plain module beside this file, so that it can be run by itself, too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
