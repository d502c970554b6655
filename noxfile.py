"""Every chore of this project, one session each: ``nox --list`` tells them.

A session installs what it needs and runs one program; the work is done by the rooms themselves.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import nox

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "layers", "drift", "tests", "demo"]
nox.options.error_on_missing_interpreters = True

PROJECT: Final = nox.project.load_toml("pyproject.toml")
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")  # a session of tests for each; run where the machine has it
EXTRAS: Final = tuple(PROJECT["project"]["optional-dependencies"])
BEHAVIOUR: Final = tuple(  # the tests of what the client does, which is where its dependencies show
    f"tests/{room}" for room in ("unit", "twins", "journal", "files", "webhooks", "faults", "emulator", "sandbox")
)


def install(session: nox.Session, *groups: str, extras: str = "") -> None:
    """Install this project, editable, with the tools of the named dependency groups."""
    session.install("-e", f".{extras}", *nox.project.dependency_groups(PROJECT, *groups))


@nox.session
def fetch(session: nox.Session) -> None:
    """Pin a document: ``nox -s fetch [-- --source URL-or-file]``; writes spec/openapi.json and spec/lock.toml."""
    install(session)
    session.run("python", "-m", "muapi_client.pinning", "fetch", *session.posargs)


@nox.session
def generate(session: nox.Session) -> None:
    """Render spec/openapi.json, corrected, into generated/muapi_generated.

    It stops before the swap if overlay/ uses a name that would be gone, a correction finds nothing to correct, or a
    template of the generator's moved under one of ours.
    """
    session.install(*nox.project.dependency_groups(PROJECT, "generate"), "attrs")
    session.run("python", "generator_templates/render.py", "generate", *session.posargs)


@nox.session
def drift(session: nox.Session) -> None:
    """Check that the lock matches the pin and that rendering again changes no byte: ``nox -s drift [-- --full]``.

    The record beside the package spares the rendering while its hashes agree; where CI is set it is rendered all the
    same, for a record could be written by hand.
    """
    install(session, "generate")
    session.run("python", "-m", "muapi_client.pinning", "verify")
    words = session.posargs or (["--full"] if os.environ.get("CI") else [])
    session.run("python", "generator_templates/render.py", "drift", *words)


@nox.session
def changelog(session: nox.Session) -> None:
    """Tell in CHANGELOG.md what the pin changed since the last commit: ``nox -s changelog [-- --old FILE]``."""
    install(session)
    session.run("python", "-m", "muapi_client.pinning", "changelog", *session.posargs)


@nox.session
def workflows(session: nox.Session) -> None:
    """Lint the workflow files, and run the drift workflow's steps on a clone, against a server on this machine."""
    install(session, "workflows", "tests", "generate", extras="[diff,emulator]")  # for the sessions of the steps
    session.run("zizmor", "--offline", "--persona=pedantic", ".github/workflows")
    session.run("pytest", "-m", "workflow", "tests/workflows", *session.posargs)


@nox.session
def diff(session: nox.Session) -> None:
    """Say what changed: ``nox -s diff [-- OLD NEW] [options]``; without OLD NEW, from the committed pin to spec/."""
    install(session, extras="[diff]")
    words = session.posargs
    if not words or words[0].startswith("-"):
        old = Path(session.create_tmp(), "committed")
        old.mkdir(exist_ok=True)
        for name in ("openapi.json", "models.json"):
            text = session.run("git", "show", f"HEAD:spec/{name}", external=True, silent=True, stderr=None)
            (old / name).write_text(str(text), encoding="utf-8")
        words = [str(old), "spec", *words]
    session.run("muapi-client", "spec", "diff", *words, "--second-opinion")


@nox.session
def golden(session: nox.Session) -> None:
    """Test the rendering alone: traps, hostile texts, documents of other APIs, and what stops a regeneration."""
    install(session, "tests", "generate", extras="[emulator]")
    session.run("pytest", "-n", "auto", "tests/golden", *session.posargs)


@nox.session
def documents(session: nox.Session) -> None:
    """Render real documents of other APIs as they come: ``nox -s documents -- DIR [--demand 14 --keep FOLDER]``.

    None of them is in this repository; without a folder it says how to get those that we count.
    """
    install(session, "types", "generate")
    session.run("python", "tests/documents.py", *session.posargs)


@nox.session
def later(session: nox.Session) -> None:
    """Test ten later documents, each pinned in a copy: ``nox -s later [-- --documents 2 --seed 7 tests/unit]``."""
    install(session, "tests", "generate", extras="[diff,emulator]")
    session.run("python", "tests/later.py", *session.posargs)


@nox.session
def removals(session: nox.Session) -> None:
    """Render the pinned document without each of its operations in turn: about an hour of one core."""
    install(session, "tests", "generate", extras="[emulator]")
    every = {"MUAPI_REMOVE_EACH": "1"}  # without it the test takes a sample
    session.run("pytest", "-n", "auto", "tests/golden/test_removals.py", *session.posargs, env=every)


@nox.session
def surface(session: nox.Session) -> None:
    """Compare the public names with tests/diff/surface.txt: ``nox -s surface [-- --write]``."""
    install(session, "tests")
    session.run("python", "tests/diff/surface.py", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the test suite: ``nox -s tests [-- pytest arguments]``; ``nox -s tests-3.13`` runs it on another Python."""
    install(session, "tests", "generate", extras="[diff,emulator]")
    session.run("pytest", "-n", "auto", *session.posargs)


for version in PYTHONS:  # not ``python=PYTHONS`` above: plain ``tests`` would then ask for all of them
    nox.session(tests, name=f"tests-{version}", python=version, download_python="never")


@nox.session
def lowest(session: nox.Session) -> None:
    """Test the client on the oldest of each dependency that pyproject.toml allows: ``nox -s lowest [-- tests]``."""
    pins = Path(session.create_tmp(), "lowest.txt")
    session.install("uv", *(need.replace(">=", "==") for need in PROJECT["build-system"]["requires"]))
    words = ("--resolution", "lowest-direct", *(f"--extra={extra}" for extra in EXTRAS), "--no-annotate", "--no-header")
    session.run("uv", "pip", "compile", "pyproject.toml", *words, f"--output-file={pins}")
    session.install("--no-build-isolation", f"--constraint={pins}", "-e", f".[{','.join(EXTRAS)}]")
    session.install(f"--constraint={pins}", *nox.project.dependency_groups(PROJECT, "tests", "generate"))
    session.run("hatchling", "build", "--target=wheel", f"--directory={session.create_tmp()}")
    session.run("pytest", "-n", "auto", *(session.posargs or BEHAVIOUR))


@nox.session
def newest(session: nox.Session) -> None:
    """Test on the newest dependencies, pre-releases too; compare what breaks with tests/newest/broken.toml."""
    session.install("uv")
    groups = nox.project.dependency_groups(PROJECT, "tests", "generate")
    session.run("uv", "pip", "install", "--upgrade", "--prerelease=allow", "-e", ".[diff,emulator]", *groups)
    session.run("python", "tests/newest/compare_failures.py", *session.posargs)


@nox.session
def httpx2(session: nox.Session) -> None:
    """Test the client where a program has httpx2 take the place of httpx: ``nox -s httpx2 [-- tests]``."""
    install(session, "tests", "generate", "httpx2", extras="[diff,emulator]")
    own = {"PYTHONPATH": str(Path("tests/under_httpx2").resolve())}  # each Python reads sitecustomize.py there
    session.run("pytest", "-n", "auto", *(session.posargs or (*BEHAVIOUR, "tests/under_httpx2")), env=own)


@nox.session
def stress(session: nox.Session) -> None:
    """Run the suite ten times beside a program that keeps every core busy: ``nox -s stress [-- --rounds 2 --only X]``.

    A test that passes on an idle machine and fails here waits for time where it should wait for an event.
    """
    install(session, "tests", "generate", extras="[diff,emulator]")
    session.run("python", "tests/stress.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting and declared dependencies."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("deptry", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types: mypy strict over all of ours and the generated code, pyright over overlay and user code."""
    install(session, "types", "tests", "generate", extras="[dask,diff,emulator,postgres]")
    session.run("mypy", "generated", "overlay", "tests/typing")
    session.run("python", "tests/typed_pages.py")
    session.run("pyright")


@nox.session
def layers(session: nox.Session) -> None:
    """Check the arrows between the rooms."""
    install(session, "layers", extras="[emulator]")
    session.run("lint-imports")


@nox.session
def demo(session: nox.Session) -> None:
    """Run one model of each kind on the embedded emulator: ``nox -s demo [-- --live]``."""
    install(session, extras="[emulator]")
    session.run("muapi-client", "demo", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Count lost and doubled jobs under faults and kills: ``nox -s faults [-- --jobs 10000 --edges]``."""
    install(session, "peers", extras="[emulator]")
    session.run("python", "tests/faults/run.py", *session.posargs)


@nox.session
def ten_lines(session: nox.Session) -> None:
    """Run the README's ten lines with 500 prompts on a bad network, killed twice: two minutes, most of them waiting."""
    install(session, "tests", "generate", extras="[diff,emulator]")
    session.run("pytest", "tests/map/test_ten_lines.py", *session.posargs, env={"MUAPI_PROMPTS": "500"})


@nox.session
def interrupts(session: nox.Session) -> None:
    """Count what interrupted calls lose, double, replace or break: ``nox -s interrupts [-- --full --seed 1]``."""
    install(session, "interrupts", extras="[emulator]")
    session.run("python", "tests/interrupts/sweep.py", *session.posargs)


@nox.session
def forks(session: nox.Session) -> None:
    """Count what forks at random moments hang, lose or double: ``nox -s forks [-- --forks 2000 --seed 1]``."""
    install(session, extras="[emulator]")
    session.run("python", "tests/forks/sweep.py", *session.posargs)


@nox.session
def distributed(session: nox.Session) -> None:
    """Test calls on real clusters of dask's, of which workers are killed, and the recipes for other engines."""
    install(session, "tests", "engines", extras="[dask,emulator]")
    session.run("pytest", "tests/cluster", *session.posargs)


@nox.session
def cli(session: nox.Session) -> None:
    """Test the command line, in terminals too: ``nox -s cli [-- -k batch]``."""
    install(session, "tests", "generate", extras="[cli,diff,emulator]")
    session.run("pytest", "-n", "auto", "tests/cli", *session.posargs)


@nox.session
def notebooks(session: nox.Session) -> None:
    """Run the tour, examples/tour.ipynb, on the emulator, in a notebook's kernel."""
    install(session, "tests", "notebooks", extras="[emulator]")
    session.run("pytest", "tests/notebooks", *session.posargs)


@nox.session
def fleet(session: nox.Session) -> None:
    """Test the journal of many machines on a real PostgreSQL: ``nox -s fleet [-- --without-postgres]``."""
    install(session, "tests", "generate", extras="[diff,emulator,postgres]")
    session.run("python", "tests/fleet/run.py", *session.posargs)


@nox.session
def frozen(session: nox.Session) -> None:
    """Freeze a program that uses the package with PyInstaller, and run it."""
    session.install(".[emulator]", *nox.project.dependency_groups(PROJECT, "frozen"))  # as users have it
    session.run("python", "tests/frozen/build.py")


@nox.session
def emulator(session: nox.Session) -> None:
    """Run the emulator's tests, and print how well a sandbox key is told from a live one on 2,000 of its answers."""
    install(session, "tests", "generate", extras="[diff,emulator]")
    session.run("pytest", "-n", "auto", "tests/emulator", "tests/sandbox", *session.posargs)
    session.run("python", "tests/sandbox/matrix.py")


@nox.session
def differential(session: nox.Session) -> None:
    """Compare the emulator with a FastAPI of the document, on 20,000 bodies: ``nox -s differential [-- --seed 8]``."""
    install(session, "differential", extras="[emulator]")
    session.run("python", "tests/emulator/differential.py", *session.posargs)


@nox.session
def contract(session: nox.Session) -> None:
    """Let schemathesis call every operation of the emulator: ``nox -s contract [-- --long --seed 2 --only REGEX]``."""
    install(session, "contract", "generate", extras="[emulator]")
    session.run("python", "tests/contract/run_document.py", *session.posargs)


@nox.session
def cli_contract(session: nox.Session) -> None:
    """Let the official muapi-cli call the emulator, by its commands and as the MCP server it is for agents.

    ``nox -s cli_contract -- image generate`` calls only the commands that begin so.
    """
    install(session, "contract", extras="[emulator]")
    session.run("python", "tests/contract/run_cli.py", *session.posargs)
    if not session.posargs:
        session.run("python", "tests/contract/run_mcp.py")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure this client beside others, into tests/benchmarks/results.md: ``nox -s bench [-- --quick | name ...]``."""
    install(session, "bench", "generate", "types", extras="[emulator]")
    session.run("python", "tests/benchmarks/run.py", f"--cache={session.create_tmp()}", *session.posargs)
