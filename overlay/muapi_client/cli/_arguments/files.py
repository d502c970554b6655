"""The words of files on their way: ``upload`` and ``download``.

Lives here: their options. Does not live here: what they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.cli._arguments.options import add_command, add_journal, add_saving, add_timeout

if TYPE_CHECKING:
    import argparse

UPLOAD: Final = """\
Free, but the balance has to be above 0. Prints an address a file, in the order
of the files, each as soon as it is known; pass it to a model:

  muapi-client run flux-kontext-dev-i2i prompt=night image_url="$(muapi-client upload fox.png)"
"""

DOWNLOAD: Final = """\
Free: asks how each job stands and fetches what it made, without the API key. No
file is ever overwritten. Where there is a journal it notes where the files are.
One job that cannot be saved keeps no other from it. Without --out, and without
the setting output_dir, they are saved here.

PATTERN may hold {slug}, {id}, {index} and {ext}; the default is {id}-{index}.{ext}.
"""


def add_files(commands: Any) -> None:
    """Add ``upload`` and ``download``."""
    upload = add_command(commands, "upload", "upload files, and print their addresses (free)", UPLOAD)
    upload.add_argument("files", metavar="FILE", nargs="+", help="an image, video, sound or other file")
    download = add_command(commands, "download", "save what ended jobs made (free)", DOWNLOAD)
    download.add_argument("ids", metavar="ID", nargs="*", help="a request id, as `jobs` and `history` tell it")
    download.add_argument(
        "--missing", action="store_true", help="every completed job of the journal that was never saved"
    )
    add_saving(download)
    add_journal(download)
    add_timeout(download)


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse words of one command that argparse cannot judge."""
    if options.command == "download" and not options.ids and not options.missing:
        parser.error("download: name a request id, or say --missing")
