"""``python -m muapi_client.emulator``: the command ``muapi-client emulator``, for images and services.

Lives here: the door. Does not live here: the command, which ends cleanly on SIGTERM. It is run, not imported, for the
command line stands on the emulator.
"""

import sys
from runpy import run_module

sys.argv[1:1] = ["emulator"]
run_module("muapi_client.cli", run_name="__main__", alter_sys=True)
