"""The machine: clocks, locks that survive a fork, processes. Nothing here knows of MuAPI."""
