"""``muapi-client docs``: the OpenAPI document, and the reference page.

Lives here: which document is printed or written, which page is opened. Does not live here: getting the live one within
bounds (``muapi_client.pinning``), comparing the two (``_spec/drift``).
"""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Final

from muapi_client._settings.options import read_origin
from muapi_client.cli._exit import DONE
from muapi_client.pinning import Limits, pinned
from muapi_client.pinning._document.canonical import restrict_to_scope
from muapi_client.pinning._document.source import read
from muapi_client.pinning._document.strict_json import parse
from muapi_client.pinning._locks.fetch import DEFAULT_SOURCE, SOURCE_VARIABLE

if TYPE_CHECKING:
    import argparse

    from muapi_client.cli._console import Console

PAGE: Final = "/docs"  # of the API's origin, where `muapi docs open` of muapi-cli 0.2.7 finds it
STDOUT: Final = "-"


def docs(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``docs``.

    Raises:
        PinError: There is no pinned document, or the live one cannot be had.
        OSError: The file cannot be written.
    """
    if options.action == "open":
        return _open(options, console)
    return _openapi(options, console)


def _openapi(options: argparse.Namespace, console: Console) -> int:
    source = os.environ.get(SOURCE_VARIABLE) or DEFAULT_SOURCE if options.live else "the pinned document"
    content = _fetch(source) if options.live else pinned().content
    if options.out == STDOUT:
        document = parse(content, "the document") if console.json else None
        console.made(document, content.decode().rstrip("\n"))
        return DONE
    Path(options.out).write_bytes(content)
    form = {"file": options.out, "source": source, "bytes": len(content)}
    console.result(form, "")
    console.remark(f"{options.out}: {source}, {len(content):,} bytes")
    return DONE


def _fetch(source: str) -> bytes:
    served = read(source, limits=Limits())
    assert served is not None, "only an ETag is answered by nothing"
    restrict_to_scope(parse(served.content, "the document"))  # an error page, or another API's, is none
    return served.content


def _open(options: argparse.Namespace, console: Console) -> int:
    address = f"{read_origin(options.settings.base_url)}{PAGE}"
    opened = webbrowser.open(address)
    console.result({"url": address, "opened": opened}, address)
    if not opened:
        console.remark("no browser was found here")
    return DONE
