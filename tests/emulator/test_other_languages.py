"""Programs that are not Python's: the examples of docs/emulator.md in Node, and a page in a browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema_rs
import pytest
import yaml
from by_kind import IMAGE

from muapi_client.emulator import Emulator, Fault
from muapi_client.emulator._http.control_schemas import ANSWERS, BODIES, OUTCOMES, build_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "emulator.md").read_text(encoding="utf-8")
NODE = shutil.which("node")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def find_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.skipif(NODE is None, reason="there is no node on this machine")
def test_the_example_in_node_prints_what_it_says(tmp_path: Path) -> None:
    (source,) = find_blocks("js")
    program = tmp_path / "example.mjs"
    program.write_text(source.replace("flux-dev-image", IMAGE.slug))
    with Emulator().serve(speed=0.001) as url:
        command = (str(NODE), str(program))
        ran = subprocess.run(
            command, env={**os.environ, "EMULATOR_URL": url}, capture_output=True, text=True, check=False, timeout=60
        )
    said = re.findall(r"console\.log\(.*\);  // ([^:\n]*)", source)
    assert (ran.stdout.splitlines(), ran.stderr) == (said, "")


def test_the_bodies_of_the_page_are_what_it_takes() -> None:
    sent = re.findall(r"/emulator/(\w+)[^\n]* -d '(.*?)'", PAGE)
    sent += re.findall(r"`POST /emulator/(\w+)` \| `(\{[^…`]*\})`", PAGE)
    assert len(sent) > 4
    for name, body in sent:
        jsonschema_rs.Draft202012Validator(BODIES[name]).validate(json.loads(body))


def test_the_page_has_every_route_outcome_and_fault() -> None:
    assert set(re.findall(r"\| `((?:GET|POST) /emulator/\w+)`", PAGE)) == set(ANSWERS)
    assert [name for name in OUTCOMES if f"`{name}`" not in PAGE] == []
    assert [fault.value for fault in Fault if f"`{fault.value}`" not in PAGE] == []


def test_the_schema_beside_the_page_is_the_one_it_publishes() -> None:
    written = json.loads((DOCS / "emulator-control.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(build_schema())), "write it anew from GET /emulator/schema"


def test_the_services_of_the_page_are_yaml() -> None:
    compose, workflow = map(yaml.safe_load, find_blocks("yaml"))
    assert "exec python -m muapi_client.emulator --host 0.0.0.0" in compose["services"]["emulator"]["command"]
    assert "emulator/health" in compose["services"]["emulator"]["healthcheck"]["test"][-1]
    assert "emulator/health" in workflow[1]["run"]


# ---- A browser -------------------------------------------------------------------------------------------------------

SCRIPT = """<!doctype html><title>x</title><p id=told>nothing</p><script type=module>
const headers = { "content-type": "application/json", "x-api-key": "sk-live" };
const tell = text => document.getElementById("told").textContent = text;
try {
  const sent = await fetch("URL/api/v1/SLUG", { method: "POST", headers, body: '{"prompt": "x"}' });
  const { request_id } = await sent.json();
  const look = await fetch(`URL/api/v1/predictions/${request_id}/result`, { headers });
  tell((await look.json()).status + " " + sent.headers.get("x-muapi-cost-usd"));
} catch (error) { tell(String(error)); }
</script>"""


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that is served at another port of this machine, and its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.skipif(CHROMIUM is None, reason="there is no browser on this machine")
@pytest.mark.parametrize(("cors", "told"), [(True, r"completed \d+\.\d{6}"), (False, "TypeError: Failed to fetch")])
def test_a_page_of_another_port_submits_looks_and_reads_the_cost(
    pages: tuple[Path, str], cors: bool, told: str, tmp_path: Path
) -> None:
    folder, address = pages
    emulator = Emulator(job_seconds=0)
    with emulator.serve(cors=cors) as url:
        (folder / "page.html").write_text(SCRIPT.replace("URL", url).replace("SLUG", IMAGE.slug))
        options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}")
        budget = ("--virtual-time-budget=10000", "--timeout=60000", "--dump-dom")
        command = (str(CHROMIUM), *options, *budget, f"{address}/page.html")
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert re.search(f'id="told">{told}<', ran.stdout), ran.stdout + ran.stderr
    assert emulator.accepted == (1 if cors else 0)
