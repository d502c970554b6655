"""``python -m muapi_client.emulator``: the command ``muapi-client emulator``, for images and services.

Lives here: the door. Does not live here: the command, which ends cleanly on SIGTERM.
"""

import sys

from muapi_client.cli import main

sys.exit(main(["emulator", *sys.argv[1:]]))
