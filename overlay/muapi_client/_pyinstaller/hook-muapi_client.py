"""Modules that load when they are asked for by name; a program that uses a further part of the package imports it."""

from PyInstaller.utils.hooks import collect_submodules

PARTS = ("_generator", "_pyinstaller", "cli", "emulator", "pinning", "pytest_plugin")


def is_wanted(name: str) -> bool:
    """Return whether a module belongs to what every program uses."""
    return name.split(".")[1:2] not in [[part] for part in PARTS]


# anyio loads its own modules by name, too, and which event loop a program runs on shows at run time only.
hiddenimports = collect_submodules("muapi_client", filter=is_wanted) + collect_submodules(
    "anyio", filter=lambda name: name != "anyio.pytest_plugin", on_error="ignore"
)
