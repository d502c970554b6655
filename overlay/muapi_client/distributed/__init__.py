"""Many calls on the workers of a dask cluster: ``pip install "muapi-client[dask]"``.

    from distributed import Client
    from muapi_client import distributed

    with Client("tcp://scheduler:8786") as cluster:
        for outcome in distributed.map(calls, client=cluster, options={"journal": "jobs.db"}, run="animals"):
            print(outcome.key, outcome.error or outcome.prediction.outputs)

Lives here: the one name. Does not live here: other engines, which need nothing of ours but values
(``docs/many-machines.md``).
"""

from __future__ import annotations

from muapi_client.distributed._map import map  # noqa: A004 - the word that MuAPI.map has for it

__all__ = ["map"]
