"""The memory of an emulated MuAPI: money, keys, jobs, records, files, scripts.

Lives here: state and how it changes over time. Does not live here: requests that change it (``_handlers``).
"""
