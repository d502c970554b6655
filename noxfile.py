"""Every chore of this project, one session each: ``nox --list`` tells them.

A session installs what it needs and runs one program; the work is done by the rooms themselves.
"""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "layers", "drift", "tests", "demo"]
nox.options.error_on_missing_interpreters = True

PROJECT = nox.project.load_toml("pyproject.toml")


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
    """Render spec/openapi.json, corrected, into generated/muapi_generated."""
    session.install(*nox.project.dependency_groups(PROJECT, "generate"), "attrs")
    session.run("python", "generator_templates/render.py", "generate", *session.posargs)


@nox.session
def drift(session: nox.Session) -> None:
    """Check that the lock matches the pin and that rendering again changes no byte."""
    install(session, "generate")
    session.run("python", "-m", "muapi_client.pinning", "verify")
    session.run("python", "generator_templates/render.py", "drift")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the test suite: ``nox -s tests [-- pytest arguments]``."""
    install(session, "tests", "generate", extras="[emulator]")
    session.run("pytest", "-n", "auto", *session.posargs)


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
    install(session, "types", "tests", "generate", extras="[emulator]")
    session.run("mypy", "generated", "overlay", "tests/typing")
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
    """Count lost and doubled jobs under faults and kills: ``nox -s faults [-- --jobs 10000 --seed 1]``."""
    install(session, "peers", extras="[emulator]")
    session.run("python", "tests/faults/run.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure, as ratios of one run: ``nox -s bench [-- name ...]``."""
    install(session, "generate", "types", extras="[emulator]")
    session.run("python", "tests/benchmarks/run.py", *session.posargs)
