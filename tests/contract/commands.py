"""Every command of muapi-cli that talks to MuAPI, and what must come of it.

Lives here: the table. Does not live here: the looks at what came of a command (``checks``), carrying it out
(``run_cli``).

Some commands of muapi-cli 0.2.7 send bodies that the pinned document refuses, fields having been renamed since; they
stand here as refusals, each with what the document asks for. Others talk to routes outside ``/api/v1`` (signing in
with a password, workflows), which the document does not cover and the emulator answers with 501.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen
from checks import (
    answers,
    balance,
    checkout,
    document,
    endless,
    fate,
    fault,
    job,
    keys,
    looked,
    made,
    most_endpoints_known,
    new_key,
    no_test_key,
    nothing,
    paid_once,
    poor,
    posted,
    queued,
    quick,
    refused,
    sample,
    saved,
    says,
    slow,
    stored,
    unpaid,
    uploaded,
)

from muapi_client.emulator import Fault, Outcome, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks import Check, Prepare

    from muapi_client.emulator import Emulator

OK, ERROR, AUTH, LIMITED, NOT_FOUND, BILLING, INVALID = 0, 1, 3, 4, 5, 6, 8  # muapi/exitcodes.py
PICTURE, FILM, SOUND = (f"https://example.com/a.{suffix}" for suffix in ("png", "mp4", "mp3"))
NOWHERE: Final = "http://127.0.0.1:9/hook"  # the discard port: nobody answers
OUTSIDE: Final = "outside /api/v1: 501"
GONE: Final = "the document has no such model"
OLD: Final = "muapi-cli sends what the document no longer takes"
MADE: Final = "status, outputs, cost as charged, one job"
PAID_NOTHING: Final = "nothing accepted, nothing charged"


@frozen
class Case:
    """One command and what must come of it.

    Args:
        line: What is typed after ``muapi``; names in braces are filled in by ``prepare``.
        code: Its exit status.
        checked: What ``check`` looks at, for a reader.
        check: Raises AssertionError where something else came of it.
        emulator: Makes the MuAPI it talks to.
        prepare: Done to the emulator before.
        first: Commands that are run before, and must succeed.
        key: ``MUAPI_API_KEY``; None for none.
        note: A known difference between muapi-cli and the document.
    """

    line: str
    code: int
    checked: str
    check: Check
    emulator: Callable[[], Emulator] = quick
    prepare: Prepare = nothing
    first: tuple[str, ...] = ()
    key: str | None = "sk-live"
    note: str = ""


ACCOUNT: Final = (
    Case("auth status", OK, "base URL, key's source", says("127.0.0.1", "env:MUAPI_API_KEY")),
    Case("auth whoami", OK, "the same", says("127.0.0.1", "env:MUAPI_API_KEY")),
    Case("auth configure --api-key sk-live", OK, "key was accepted and kept", stored, key=None),
    Case("auth configure --api-key sk-wrong", AUTH, "key was refused", says("rejected the key"), key=None),
    Case(
        "account balance -j", OK, "with the kept key", balance,
        first=("auth configure --api-key sk-live",), key=None,
    ),
    Case("auth logout", OK, "key is gone", says("removed"), first=("auth configure --api-key sk-live",), key=None),
    Case("account balance -j", OK, "balance, currency, email", balance),
    Case("account balance", OK, "balance for people", says("$100.0000 USD", "emulator@example.com")),
    Case("account balance -j", AUTH, "401", says("No API key configured"), key=None),
    Case("account balance -j", AUTH, "403", says("Authentication failed"), key="sk-wrong"),
    Case("account topup --amount 20 -j", OK, "checkout_url, balance as before", checkout),
    Case("account topup --no-open", OK, "checkout_url for people", says("Checkout URL: http")),
    Case("account topup -j", AUTH, "403", says("Authentication failed"), key="sk-wrong"),
    Case("keys list -j", OK, "fields, no secret", keys),
    Case("keys list", OK, "names for people", says("live 1", "test 1", "never")),
    Case("keys list -j", AUTH, "403", says("Authentication failed"), key="sk-wrong"),
    Case("keys create --name mine -j", OK, "id, name, api_key, and it works", new_key),
    Case("keys create --name mine", OK, "the key for people", says("API key created (ID 3)", "sk-")),
    Case("keys delete 2 --yes", OK, "that key alone works no longer", no_test_key),
    Case("keys delete 99 --yes", NOT_FOUND, "404", says("not found")),
    Case("auth login -e a@example.com -p x", AUTH, "no crash", says("does not answer"), note=OUTSIDE),
    Case("auth register -e a@example.com -p x", ERROR, "no crash", says("does not answer"), note=OUTSIDE),
    Case("workflow list -j", ERROR, "no crash", says("does not answer"), note=OUTSIDE),
)  # fmt: skip

IMAGES: Final = (
    Case('image generate "a fox" -j', OK, MADE, made("png")),
    Case('image generate "a fox"', OK, "status and URL for people", says("Status: completed", ".png")),
    Case('image generate "a fox" --model nano-banana -j', OK, MADE, made("png")),
    Case('image generate "a fox" --num-images 4 -j', OK, "four outputs, four charged", made("png", 4)),
    Case('image generate "a fox" --jq .outputs[0]', OK, "a URL", says("http")),
    Case('image generate "a fox" --no-wait -j', OK, "request_id, status, cost; one request", queued),
    Case('image generate "a fox" --dry-run', OK, PAID_NOTHING, unpaid),
    Case('image generate "a fox" --num-images 2 -d out -j', OK, "two files that are PNG", saved("image/png", 2)),
    Case('image generate "a fox" -j', OK, "3 s between two looks", looked(2), emulator=slow),
    Case('image generate "a fox" -j', OK, "sample, no charge", sample, key="sk-test"),
    Case('image generate "a fox" --model nowhere -j', INVALID, PAID_NOTHING, unpaid),
    Case(
        'image generate "a fox" --model nano-banana -a 7:5 -j', ERROR, "422 names aspect_ratio, nothing charged",
        refused("aspect_ratio"),
    ),
    Case('image generate "a fox" -j', AUTH, "403", says("Not authorized"), key="sk-wrong"),
    Case('image generate "a fox" -j', BILLING, "402", says("Insufficient credit balance"), emulator=poor),
    Case(
        'image generate "a fox" -j', ERROR, "400: detail with id, status, error",
        says('"status": "failed"', "out of memory"),
        prepare=fate(Outcome.failed("out of memory")),
    ),
    Case(
        'image generate "a fox" -j', ERROR, "200 with status failed",
        says("Generation failed: out of memory"),
        prepare=fate(Outcome.failed("out of memory", shape=Shape(failure="http_200"))),
    ),
    Case(
        f'image generate "a fox" --webhook {NOWHERE} -j', OK, "the result is posted there", posted(NOWHERE),
    ),
    Case(
        'image generate "a fox" -j', LIMITED, "429, nothing accepted", says("Too Many Requests"),
        prepare=fault(Fault.TOO_MANY),
    ),
    Case('image generate "a fox" -j', ERROR, "500, nothing accepted", unpaid, prepare=fault(Fault.SERVER_ERROR)),
    Case(
        'image generate "a fox" -j', ERROR, "502 page after the job was accepted", paid_once,
        prepare=fault(Fault.HTML), note="muapi-cli tells the page, not that a job may have been paid",
    ),
    Case(f'image edit "at night" --image {PICTURE} -j', OK, MADE, made("png")),
    Case(f'image edit "at night" --image {PICTURE} --model seedream-edit -j', OK, MADE, made("png")),
    Case(
        f'image edit "at night" --image {PICTURE} --model qwen -j', ERROR, "422 names what is missing",
        refused("image_url"), note=OLD,
    ),
    Case(
        f'image edit "at night" --image {PICTURE} --model gpt4o-edit -j', ERROR, "422 names what is missing",
        refused("mask_image_url"), note=OLD,
    ),
    Case('image edit "at night" --image a.png -j', ERROR, "422: no link", says("images_list", "url")),
    Case("image models", OK, "no request", unpaid),
)  # fmt: skip

FILMS_AND_SOUNDS: Final = (
    Case('video generate "a fox" -j', OK, MADE, made("mp4")),
    Case('video generate "a fox" --model veo3 -j', OK, MADE, made("mp4")),
    Case('video generate "a fox" --model veo4 -j', NOT_FOUND, "404", says("Not Found"), note=GONE),
    Case('video generate "a fox" --model vidu -j', ERROR, "422", refused("aspect_ratio", "duration"), note=OLD),
    Case('video generate "a fox" -d out -j', OK, "a file that is MP4", saved("video/mp4")),
    Case(f'video from-image "it runs" --image {PICTURE} -j', OK, MADE, made("mp4")),
    Case("video models", OK, "no request", unpaid),
    Case('audio create "a song" -j', ERROR, "422 names what is missing", refused("style"), note=OLD),
    Case("audio remix an-id -j", ERROR, "422 names what is missing", refused("audio_url", "style"), note=OLD),
    Case("audio extend an-id -j", ERROR, "422 names what is missing", refused("audio_url", "style"), note=OLD),
    Case('audio from-text "rain" -j', OK, MADE, made("mp3")),
    Case('audio from-text "rain" -d out -j', OK, "a file that is MP3", saved("audio/mpeg")),
    Case(f"audio from-video {FILM} -j", OK, MADE, made("mp4")),
)

ENHANCE_AND_EDIT: Final = (
    *(
        Case(f"enhance {line} -j", OK, MADE, made("png"))
        for line in (
            f"upscale {PICTURE}",
            f"bg-remove {PICTURE}",
            f"skin {PICTURE}",
            f"colorize {PICTURE}",
            f"ghibli {PICTURE}",
            f"anime {PICTURE} --prompt blue",
            f"extend {PICTURE}",
            f"product-shot {PICTURE} --bg beach",
            f"erase {PICTURE} --mask {PICTURE}",
        )
    ),
    Case(
        f"enhance face-swap -s {PICTURE} -t {PICTURE} -j", ERROR, "422 names what is missing",
        refused("image_url", "swap_url"), note=OLD,
    ),
    Case(
        f"enhance face-swap -s {PICTURE} -t {FILM} --mode video -j", ERROR, "422 names what is missing",
        refused("image_url", "video_url"), note=OLD,
    ),
    Case(f"enhance upscale {PICTURE} -j", ERROR, "402; no code of its own", says("Insufficient"), emulator=poor),
    Case(f"edit effects -i {PICTURE} -e Cakeify --mode image -j", OK, MADE, made("png")),
    Case(f"edit effects -v {FILM} -e Cakeify -j", ERROR, "422 names what is missing", refused("image_url"), note=OLD),
    Case(
        f"edit effects -i {PICTURE} -e Cakeify --mode wan -j", ERROR, "422 names what is missing",
        refused("prompt", "name"), note=OLD,
    ),
    *(
        Case(f"edit lipsync -v {FILM} -a {SOUND} -m {model} -j", OK, MADE, made("mp4"))
        for model in ("sync", "latentsync", "creatify", "veed", "ltx-2", "ltx-2.3")
    ),
    *(
        Case(
            f"edit lipsync -v {FILM} -a {SOUND} -m {model} -j", ERROR, "422 names what is missing",
            refused("image_url"), note=OLD,
        )
        for model in ("kling-v1", "kling-v2", "wan2.2")
    ),
    Case(f"edit dance -i {PICTURE} -v {FILM} -j", OK, MADE, made("mp4")),
    Case(f"edit dress -i {PICTURE} -D {PICTURE} -j", OK, MADE, made("png")),
    Case(f"edit clipping {FILM} -j", OK, MADE, made("mp4")),
)  # fmt: skip

JOBS: Final = (
    Case('run flux-dev-image -p "a fox" -j', OK, MADE, made("png")),
    Case('run mmaudio-v2/text-to-audio -p "rain" -i duration=5 -j', OK, MADE, made("mp3")),
    Case("run flux-dev-image --help", OK, "fields of the served document", says("ImageRequest", "num_images")),
    Case('run nowhere -p "a fox" -j', NOT_FOUND, "404", says("Not Found")),
    Case("run nano-banana-2 -j", ERROR, "422 names prompt, nothing charged", refused("prompt")),
    Case("predict result {id} -j", OK, "status, outputs, cost", answers(status="completed"), prepare=job()),
    Case("predict result {id} -j", OK, "still queued", answers(status="queued"), prepare=job(),
         emulator=endless),
    Case("predict wait {id} -j", OK, MADE, made("png"), prepare=job()),
    Case("predict wait {id} -d out -j", OK, "a file that is PNG", saved("image/png"), prepare=job()),
    Case("predict wait {id} --timeout 1 -j", ERROR, "gave up", says("Timed out"), prepare=job(),
         emulator=endless),
    Case("predict wait {id} -j", ERROR, "400 with the error", says("out of memory"),
         prepare=job(Outcome.failed("out of memory"))),
    Case("predict result no-such-id -j", NOT_FOUND, "404", says("Not Found")),
    Case("predict result {id} -j", AUTH, "403", says("Not authorized"), prepare=job(), key="sk-wrong"),
    Case("upload file picture.png -j", OK, "url", uploaded),
    Case("upload file picture.png -j", ERROR, "402; no code of its own", says("Insufficient"), emulator=poor),
    Case("upload file missing.png -j", ERROR, "no request", says("File not found")),
)  # fmt: skip

CATALOGUE: Final = (
    Case("models list -j", OK, "nine in ten endpoints are in the document", most_endpoints_known),
    Case("docs openapi --save openapi.json", OK, "the pinned document, unchanged", document),
    Case("docs openapi --no-output-json", OK, "title, number of paths", says("Muapi API", "endpoints")),
    Case("docs openapi --jq .info.version", OK, "version", says("1.0.0")),
    Case("version -j", OK, "0.2.7", answers(version="0.2.7")),
)

CASES: Final = (*ACCOUNT, *IMAGES, *FILMS_AND_SOUNDS, *ENHANCE_AND_EDIT, *JOBS, *CATALOGUE)
