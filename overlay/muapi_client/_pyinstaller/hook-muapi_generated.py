"""Model functions and types, which load when they are asked for; the catalogue and the pinned document."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

hiddenimports = collect_submodules("muapi_generated")
datas = collect_data_files("muapi_generated")
