"""What PyInstaller has to know: which modules are loaded by their names at run time, and which files are read.

PyInstaller finds this folder by the entry point ``pyinstaller40`` and the hooks in it by the packages they are named
after. They name PyInstaller's own helpers, so nothing here is imported by anything else.
"""

from __future__ import annotations

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """The folders of our hooks."""
    return [str(Path(__file__).parent)]
