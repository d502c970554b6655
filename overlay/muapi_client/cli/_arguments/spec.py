"""The words that may follow ``muapi-client spec``.

Lives here: the actions that compare documents, with their options and exit codes. Does not live here: what they do.
"""

from __future__ import annotations

import argparse
import re
from typing import Any, Final

from muapi_client.cli._arguments.options import add_command

SCOPE: Final = "/api/v1"  # of MuAPI's document (`_document.canonical`, which parsing a command need not load)

VERIFY: Final = """\
With --lock, a document that changed elsewhere than in your models is no failure
(but see --strict), nor are other corrections of it by this program. What passes
here, MuAPI(spec_pin="muapi.lock") starts on.

exit codes: 0 it is as pinned, 1 it is not (or another error), 2 usage.
"""

CLASSES: Final = ("breaking", "types", "silent", "additive", "cosmetic")  # a test holds them to the diff's own

DIFF: Final = """\
OLD and NEW are each a file, a folder with openapi.json (and models.json, the
prices), an https address, your lock (muapi.lock, with the muapi.lock.json beside
it), or the word pin for the document this program has. With --used-in only what
that code calls counts, and what the client itself does; with a lock only what is
locked.

--fail-on takes any of breaking, types, silent, additive and cosmetic, with commas
between: silent is what costs or does something else, prices included where both
lists are known.

exit codes: 0 no change that --fail-on names, 1 there is one (or an error),
2 usage.
"""

DRIFT: Final = """\
With --prices the live prices are compared too, and a model you use that costs
something else is 4.

exit codes, this command's own: 0 the same document; 3 it changed, and nothing
you use breaks; 4 something you use changed such that it breaks, fails type
checks, or costs or does something else in silence; 5 it could not be compared
(no answer, no document, half of one); 1 another error, 2 usage.
"""


BUILD: Final = """\
Needs the tools of the extra: pip install 'muapi-client[generate]'. Of this
version's corrections those that fit the document are applied, the others are
listed: an older document may lack what was corrected since, and a newer one may
say it itself. Corrections of your own (--corrections FILE) apply after them,
and one that matches nothing is an error; only:FILE and none do without this
version's, and so without most models.

  muapi-client spec build --source old.json --output src/muapi_generated_old
  >>> import muapi_generated_old; mu = MuAPI(models=muapi_generated_old)

All that no function can say is told at once, each with the correction that
leaves it out; --leave-out writes those beside the package, into a file named
as the package with .left_out.yaml, which every later build of it applies (and
one with --leave-out writes anew). SPEC.left_out of the package lists them.

The source is JSON or YAML (.yaml, .yml). --scope takes the paths below another
base than /api/v1, which no name or slug then repeats; --scope / takes all. This
version's corrections are about /api/v1 and apply to no other scope.

exit codes: 0 it stands there, 1 it does not, and nothing was written, 2 usage.
"""


def add_spec(commands: Any) -> None:
    """Add ``spec`` and its actions."""
    spec = add_command(commands, "spec", "the pinned document")
    actions = spec.add_subparsers(dest="action", required=True)
    add_command(actions, "show", "show which document is pinned, and how it came here")
    _add_diff(actions)
    _add_verify(actions)
    _add_lock(actions)
    _add_drift(actions)
    _add_build(actions)


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse words of one action that argparse cannot judge."""
    if options.action == "verify" and options.sha256:
        wrong = [name for name, given in (("--strict", options.strict), ("--used-in", options.used_in)) if given]
        if wrong:
            parser.error(f"spec verify: {wrong[0]} goes with --lock; a hash knows no models")


def _add_diff(actions: Any) -> None:
    forms = ("text", "markdown", "json", "sarif")
    diff = add_command(actions, "diff", "say what changed between two documents, and what it breaks", DIFF, forms)
    diff.add_argument("old", metavar="OLD", help="the earlier document")
    diff.add_argument("new", metavar="NEW", help="the later one")
    _add_used(diff)
    _add_lock_of_uses(diff)
    diff.add_argument(
        "--fail-on",
        metavar="CLASSES",
        type=_read_classes,
        default=(),
        help="exit 1 on changes of these classes, such as breaking,silent; on any, or on none (default)",
    )
    diff.add_argument("--prices", metavar="LIST", nargs=2, help="the old and the new models.json, or addresses")
    diff.add_argument(
        "--second-opinion", action="store_true", help="let specshift look too, and tell what only it finds"
    )


def _add_verify(actions: Any) -> None:
    verify = add_command(
        actions, "verify", "compare the document this program runs on with a hash or with your lock", VERIFY
    )
    pin = verify.add_mutually_exclusive_group(required=True)
    pin.add_argument("--sha256", metavar="HASH", type=_read_sha256, help="the document's hash, as `spec show` tells it")
    pin.add_argument("--lock", metavar="FILE", help="your lock, as `spec lock` writes it")
    verify.add_argument("--strict", action="store_true", help="with --lock: fail on another document in any case")
    _add_used_in(verify, "with --lock: fail on a model that is used in this code and not locked")


def _add_lock(actions: Any) -> None:
    lock = add_command(actions, "lock", "write a lock: the document's hash, and one of each model you use; commit it")
    lock.add_argument("file", metavar="FILE", nargs="?", default="muapi.lock", help="the lock (default: muapi.lock)")
    _add_used(lock)
    lock.add_argument("--prices", action="store_true", help="lock each model's representative price too")


def _add_drift(actions: Any) -> None:
    drift = add_command(
        actions,
        "drift",
        "compare the document that MuAPI serves now with the pinned one; writes nothing",
        DRIFT,
        ("text", "markdown", "json"),
    )
    drift.add_argument(
        "--source",
        metavar="URL-or-FILE",
        help="https, http to this machine, or a file (default: $MUAPI_OPENAPI_URL, else MuAPI's own address)",
    )
    drift.add_argument(
        "--prices",
        metavar="URL-or-FILE",
        nargs="?",
        const="",
        help="compare prices too, with this list (default: GET /api/v1/models where the document is)",
    )
    _add_used(drift)
    _add_lock_of_uses(drift)


def _add_build(actions: Any) -> None:
    """Its ``--output`` is a place, so that the form of what is printed is said before the command."""
    summary = "render another document into a package that stands beside the installed one"
    build = actions.add_parser(
        "build",
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=BUILD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    build.add_argument(
        "--source",
        metavar="URL-or-FILE",
        required=True,
        help="the document, JSON or YAML: https, http to this machine, or a file",
    )
    build.add_argument(
        "--output", metavar="DIR", dest="package", required=True, help="the package's folder, named as the package"
    )
    build.add_argument("--name", metavar="NAME", help="the package's name; its folder is then made in DIR")
    build.add_argument(
        "--corrections",
        metavar="FILE",
        help="an OpenAPI Overlay to apply after this version's; only:FILE applies it in their place, none applies none",
    )
    build.add_argument(
        "--models",
        metavar="URL-or-FILE",
        help="a price list, as GET /api/v1/models answers (default: this version's)",
    )
    build.add_argument(
        "--scope",
        metavar="PATH",
        type=_read_scope,
        default=SCOPE,
        help=f"what the paths to take begin with (default: {SCOPE}); / takes all",
    )
    build.add_argument(
        "--leave-out", action="store_true", help="leave out what no function can say, and write down what that is"
    )


def _add_used(parser: argparse.ArgumentParser) -> None:
    _add_used_in(parser, "only the models this code imports")
    parser.add_argument("--only", metavar="NAMES", help="only these models, by function or slug, with commas between")


def _add_used_in(parser: argparse.ArgumentParser, summary: str) -> None:
    parser.add_argument("--used-in", metavar="PATH", action="append", default=[], help=f"{summary}; may be repeated")


def _read_scope(text: str) -> str:
    scope = text.rstrip("/")
    if not re.fullmatch(r"(?:/[\w.~-]+)*", scope, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no beginning of a path, such as {SCOPE} or /")
    return scope


def _add_lock_of_uses(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lock",
        metavar="FILE",
        help="with --used-in: the lock whose table [uses] says what dynamic calls use (default: muapi.lock)",
    )


def _read_classes(text: str) -> tuple[str, ...]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if words in (["any"], ["none"]):
        return CLASSES if words == ["any"] else ()
    strange = [word for word in words if word not in CLASSES]
    if strange or not words:
        raise argparse.ArgumentTypeError(
            f"{', '.join(map(repr, strange or [text]))}: give any of {', '.join(CLASSES)}, with commas between; "
            "any; or none"
        )
    return tuple(words)


def _read_sha256(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no sha256: 64 hexadecimal digits")
    return text.lower()
