"""The MCP server of muapi-cli against the emulator, by a client nobody here wrote: ``nox -s cli_contract``.

An agent that works with MuAPI speaks the Model Context Protocol with ``muapi mcp serve``. The protocol's own Python
client holds each answer against the schema that the server declares for it.

Lives here: the tools that are called, and what must come of each. Does not live here: the server and the client, which
are packages. Exits with 1 where anything came out otherwise.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

sys.path.insert(0, str(Path(__file__).parent))

from official import PROGRAM, Shell

from muapi_client.emulator import Emulator, Outcome
from muapi_client.emulator._media.files import media_of

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURE: Final = "https://example.com/a.png"
UPLOAD: Final = "picture.png"


def is_made(emulator: Emulator, told: Any) -> bool:
    """Whether a job ran, was paid once, and its outputs came."""
    return bool(told["status"] == "completed" and told["outputs"] and emulator.accepted == 1)


CALLS: Final[tuple[tuple[str, dict[str, Any], bool, Callable[[Emulator, Any], bool]], ...]] = (
    # tool, arguments, whether it is an error, what must hold of the emulator and of what was told
    ("muapi_account_balance", {}, False, lambda _, told: told["balance"] == 100),
    ("muapi_keys_list", {}, False, lambda _, told: len(told["keys"]) == 2),
    ("muapi_keys_create", {"name": "ci"}, False, lambda _, told: told["api_key"].startswith("sk-")),
    ("muapi_account_topup", {"amount": 10}, False, lambda _, told: "checkout" in told["checkout_url"]),
    ("muapi_upload_file", {"file_path": UPLOAD}, False, lambda _, told: told["url"].startswith("http")),
    ("muapi_image_generate", {"prompt": "a fox"}, False, is_made),
    ("muapi_image_edit", {"prompt": "by night", "image_url": PICTURE, "model": "nano-banana-edit"}, False, is_made),
    ("muapi_enhance_upscale", {"image_url": PICTURE}, False, is_made),
    ("muapi_predict_result", {"request_id": "no-such-id"}, True, lambda _, told: "Not Found" in str(told)),
    ("muapi_workflow_list", {}, True, lambda _, told: "does not answer" in str(told)),  # outside /api/v1: 501
)


async def carry_out(tool: str, arguments: dict[str, Any], *, fails: bool, check: Any) -> str:
    """Call one tool, with an emulator and a home of its own; what is wrong with the outcome, empty if nothing."""
    emulator = Emulator(job_seconds=1, outcomes=[Outcome.completed()])
    with tempfile.TemporaryDirectory() as home, emulator.serve() as url:
        (Path(home) / UPLOAD).write_bytes(media_of(UPLOAD, seed="").content)
        environment = Shell(emulator, str(url), Path(home), "sk-live").environment()
        server = StdioServerParameters(command=PROGRAM, args=["mcp", "serve"], env=environment, cwd=home)
        with open(Path(home) / "errors.txt", "w", encoding="utf-8") as errors:  # noqa: ASYNC230, PTH123 - one line
            async with stdio_client(server, errlog=errors) as streams, ClientSession(*streams) as session:
                await session.initialize()
                tools = {each.name for each in (await session.list_tools()).tools}
                if tool not in tools:
                    return f"there is no such tool; there are {sorted(tools)}"
                try:
                    result = await session.call_tool(tool, arguments)
                except RuntimeError as refused:  # the answer is not of the schema that the server declares
                    return f"{type(refused).__name__}: {refused}"
        told = result.structured_content or [part.text for part in result.content if part.type == "text"]
        if bool(result.is_error) != fails:
            return f"it {'succeeded' if fails else 'failed'}: {told}"
        return "" if check(emulator, told) else f"told {told}; {emulator.accepted} jobs were accepted"


def main() -> int:
    """All of the table."""
    wrong = 0
    for tool, arguments, fails, check in CALLS:
        what = anyio.run(lambda: carry_out(tool, arguments, fails=fails, check=check))  # noqa: B023 - called at once
        wrong += bool(what)
        sys.stdout.write(f"{tool}: {what or 'as expected'}\n")
    sys.stdout.write(f"{len(CALLS)} tools, {wrong} otherwise\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
