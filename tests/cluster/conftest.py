"""Real clusters of dask's on this machine, whose workers are processes, and a server for them.

Words of these tests: ``client`` is dask's, of a cluster of two workers that no test kills; ``open_cluster()`` makes one
of a test's own. Skipped where dask's ``distributed`` is not installed: ``nox -s distributed`` has it.
"""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gated import GatedServer, serve

from muapi_client import distributed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from distributed import Client


@contextmanager
def make_cluster(**environment: str) -> Iterator[Client]:
    import distributed as dask

    own = {"env": environment, "dashboard_address": "127.0.0.1:0"}
    with (
        dask.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **own) as cluster,
        dask.Client(cluster) as client,
    ):
        yield client
    gc.collect()  # dask leaves tasks whose exceptions it logs when they are collected: here, not in other tests


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    with make_cluster(
        MUAPI_API_KEY="sk-live", OTHER_KEY="sk-test", HOOK="http://127.0.0.1:9/hooks/very-secret"
    ) as client:
        yield client


@pytest.fixture
def open_cluster() -> Callable[..., Any]:
    return make_cluster


server = pytest.fixture(serve)


@pytest.fixture
def run(client: Client, server: GatedServer) -> Callable[..., Any]:
    """``run(calls, **options)``: the outcomes of a map on the cluster; ``options=`` go beside the server's URL."""

    def run_on(calls: Any, *, options: Any = (), **given: Any) -> Any:
        return distributed.map(calls, client=client, options={"base_url": server.url, **dict(options)}, **given)

    return run_on
