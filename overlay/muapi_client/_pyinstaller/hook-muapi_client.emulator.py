"""The modules of ``muapi_client.emulator`` load when they are asked for by name."""

from PyInstaller.utils.hooks import collect_submodules

hiddenimports = collect_submodules("muapi_client.emulator")
