"""What an emulated MuAPI remembers: money, keys, jobs, records, files, scripts.

Lives here: state and how it changes over time. Does not live here: requests that change it (``_handlers``).
"""
