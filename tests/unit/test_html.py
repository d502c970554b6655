"""What a notebook shows of values: all of it escaped, nothing fetched, no secret, and never large."""

from __future__ import annotations

import sys
import types
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from by_kind import IMAGE, make_image
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import (
    AsyncPrediction,
    Cost,
    Job,
    MuAPI,
    MuAPIError,
    Outcome,
    Outcomes,
    Output,
    Prediction,
    catalog,
    errors,
    raw_call,
)
from muapi_client._html.markup import element, is_link, link

EVIL = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>&amp;"
PICTURE = Output("https://cdn.muapi.ai/outputs/1.png?sig=abc", media_type="image/png")
COST = Cost(Decimal("0.030000"), 3)
ALLOWED = {
    *("a", "audio", "b", "br", "code", "div", "g", "img", "rect", "span", "svg", "table", "td", "th", "title", "tr"),
    "video",
}
FETCHED = {"img", "video", "audio"}


class Reader(HTMLParser):
    """Reads HTML as a browser does, and keeps its elements, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attributes]
        if tag not in ("br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value for each, value in self.attributes if each == name]


def read(html: str) -> Reader:
    """HTML that holds to the rules of all that a repr shows."""
    reader = Reader(html)
    assert reader.open == []
    assert set(reader.tags) <= ALLOWED
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    assert all(is_link(url) for url in reader.values("href"))
    html.encode()
    return reader


def quiet(value: Any) -> Reader:
    """What a value shows by itself: nothing of it is fetched."""
    reader = read(value._repr_html_())
    assert not FETCHED & set(reader.tags)
    assert not reader.values("src")
    return reader


def prediction(*outputs: Output, **facts: Any) -> Prediction:
    return Prediction(**{"id": "abc", "status": "completed", "outputs": outputs, "cost": COST, **facts})


def test_a_prediction_tells_its_model_state_cost_and_outputs() -> None:
    call = raw_call("fox-model", {"prompt": "a red fox"})
    reader = quiet(
        prediction(PICTURE, Output(text="Foxes are red."), Output(data={"seed": 7}), call=call, seconds=2.04)
    )
    for word in ("fox-model", "completed", "0.03 USD", "2.0 s", "abc", "a red fox", "Foxes are red.", '"seed": 7'):
        assert word in reader.text
    assert reader.values("href") == [PICTURE.url]
    assert "sig" not in reader.text, "a signature is part of the link alone"
    assert reader.values("rel") == ["noopener noreferrer"]


def test_what_the_cost_is_not_is_told() -> None:
    assert "no cost told" in quiet(prediction(cost=None)).text
    assert "0.03 USD refunded" in quiet(prediction(cost=Cost(Decimal("0.03"), refunded=True))).text
    assert "nothing charged" in quiet(prediction(cost=None, reused=True)).text


@pytest.mark.parametrize("kind", [Prediction, AsyncPrediction])
def test_hostile_texts_stay_texts(kind: type[Prediction]) -> None:
    odd = Output(f"javascript:alert(1)//{EVIL}", media_type=EVIL)
    outputs = (odd, Output(text=EVIL), Output(data={EVIL: EVIL}), Output(f"https://x/{EVIL}"))
    call = raw_call("x", {"prompt": EVIL})
    value = kind(EVIL, EVIL, outputs, COST, error=EVIL, warnings=(EVIL,), call=call)
    reader = quiet(value)
    assert EVIL in reader.text
    sheet = Outcomes([Outcome(0, EVIL, call, Job(EVIL), value, errors.JobFailedError(EVIL), files=(Path(EVIL),))])
    quiet(sheet)
    quiet(sheet[0])
    read(type(sheet)(sheet)._repr_html_())


@given(st.text())
def test_no_text_becomes_markup(text: str) -> None:
    value = prediction(Output(text), Output(text=text), Output(data=text), error=text, id=text, status=text)
    quiet(value)
    read(link(text))
    assert read(element("div", text, title=text)).tags == ["div"]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        " https://x/a",
        "data:text/html,<script>",
        "//x/a",
        "https://",
        "https://u:p@x/a",
        "https://[::1",
        "https://x/\n",
        "vbscript:x",
        "file:///etc/passwd",
        "https://x/" + "a" * 3000,
        "",
        None,
    ],
)
def test_what_is_no_link_is_none(url: Any) -> None:
    assert not is_link(url)
    if url is not None:
        assert read(link(url)).values("href") == []


def test_a_repr_is_small_however_large_the_value() -> None:
    huge = "x" * 100_000
    outputs = (
        Output(text=huge),
        Output(f"https://x/{huge}.png"),
        Output(f"data:image/png;base64,{huge}"),
        Output(data=[huge]),
    )
    call = raw_call("x", {"prompt": huge})
    value = prediction(*outputs * 100, error=huge, warnings=(huge,) * 100, call=call, id=huge, status=huge)
    assert len(value._repr_html_()) < 60_000
    sheet = Outcomes([Outcome(n, huge, call, None, value, errors.MuAPIError(huge)) for n in range(250)])
    assert len(sheet._repr_html_()) < 500_000
    assert "and 50 more" in quiet(sheet).text


def test_outcomes_are_a_contact_sheet() -> None:
    call = make_image(prompt="a fox")
    sheet = Outcomes(
        [
            Outcome(0, "fox", call, Job("a"), prediction(PICTURE), files=(Path("/home/me/out/fox-0.png"),)),
            Outcome(1, "owl", call, Job("b"), prediction(PICTURE, cost=None, reused=True), reused=True),
            Outcome(2, "elk", call, Job("c"), None, errors.JobFailedError("job c failed: NSFW")),
            Outcome(3, "eel", call, None, None, errors.SubmitOutcomeUnknownError("lost")),
            Outcome(4, "emu", call, Job("d"), prediction(PICTURE, cost=None)),
        ]
    )
    reader = quiet(sheet)
    assert "5 calls · 3 finished · 1 failed · 1 in doubt · 0.03 USD charged · 1 without a cost told" in reader.text
    for word in ("fox", "saved as fox-0.png", "reused", "JobFailedError", "NSFW", "SubmitOutcomeUnknownError"):
        assert word in reader.text
    assert "/home/me" not in reader.text
    assert quiet(sheet[2]).text.startswith("1 call ·")
    with localcontext(prec=1):
        assert "0.09 USD" in quiet(Outcomes([Outcome(n, "x", call, None, prediction()) for n in range(3)])).text


def test_spend_is_a_table_and_a_bar() -> None:
    with MuAPI("sk-live-0123456789abcdef") as mu:
        ledger = mu._ledger
        reader = quiet(mu.spend)
        assert reader.tags.count("rect") == 1, "nothing was spent"
        ledger.record("a", Cost(Decimal("0.750000")))
        ledger.record("b", Cost(Decimal("0.25"), refunded=True))
        ledger.record("c", None)
        ledger.reserve("k", Decimal("0.25"), Decimal(9))
        reader = quiet(mu.spend)
        for word in ("0.75 USDcharged, for 3 requests", "0.25 USDset aside", "0.25 USDcharged and given back"):
            assert word in reader.text
        assert "1 requests told no cost: unknown, not zero" in reader.text
        assert reader.values("width") == ["320", "320", "240.0", "80.0"]
        assert reader.values("x") == ["0", "0.0", "240.0"]
        assert "sk-live" not in mu.spend._repr_html_()


def test_a_model_is_a_card() -> None:
    model = catalog.get(IMAGE.slug)
    reader = quiet(model)
    for word in (model.slug, f"from muapi_client.models import {model.function}", "prompt", "USD a job"):
        assert word in reader.text
    for each in catalog.all()[::9]:
        assert len(each._repr_html_()) < 60_000
        quiet(each)


def test_a_price_that_nobody_tells_is_not_shown_as_none_at_all() -> None:
    unpriced = evolve(catalog.get(IMAGE.slug), price=catalog.Price(Decimal(0), dynamic=True, as_of="2026-08-20"))
    text = quiet(unpriced).text
    assert "no price in the catalogue" in text
    assert "USD" not in text


class Cell:
    """IPython as far as a notebook's kernel shows something by it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: list[dict[str, str]] = []
        shell = types.SimpleNamespace(kernel=object())
        ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
        ipython.get_ipython = lambda: shell  # type: ignore[attr-defined]
        display.display = lambda bundle, raw: self.shown.append(bundle) if raw else None  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setitem(sys.modules, "IPython.display", display)


def test_players_come_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell(monkeypatch)
    urls = ["https://x/a.png", "https://x/b.mp4", "http://127.0.0.1:8/c.mp3"]
    kinds = ["image/png", "video/mp4", "audio/mpeg"]
    content = Output("data:image/png;base64,aGk=", media_type="image/png")
    value = prediction(*map(lambda url, kind: Output(url, media_type=kind), urls, kinds), content, Output(text=EVIL))
    value.show(width=99)
    (bundle,) = cell.shown
    reader = read(bundle["text/html"])
    assert bundle["text/plain"] == repr(value)
    assert [tag for tag in reader.tags if tag in FETCHED] == ["img", "video", "audio", "img"]
    assert reader.values("src") == [*urls, content.url]
    assert reader.values("referrerpolicy") == ["no-referrer"] * 2
    assert "width:99px" in bundle["text/html"]
    value.outputs[1].show()
    Outcomes([Outcome(0, "fox", make_image(prompt="a fox"), None, value)]).show()
    assert [len(read(each["text/html"]).values("src")) for each in cell.shown] == [4, 1, 4]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("javascript:alert(1)", "image/png"),
        ("data:image/svg+xml;base64,aGk=", "image/svg+xml"),
        ("data:text/html;base64,aGk=", "image/png"),
        ('data:image/png;base64,aGk=" onerror="alert(1)', "image/png"),
        ("data:image/png;base64," + "a" * 5_000_000, "image/png"),
        ("https://x/a.glb", "model/gltf-binary"),
        ("https://x/a", None),
    ],
)
def test_what_cannot_be_played_is_named(monkeypatch: pytest.MonkeyPatch, url: str, kind: str | None) -> None:
    cell = Cell(monkeypatch)
    prediction(Output(url, media_type=kind)).show()
    reader = read(cell.shown[0]["text/html"])
    assert reader.values("src") == []
    assert len(cell.shown[0]["text/html"]) < 5000


def test_outside_of_a_notebook_the_repr_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    value = prediction(PICTURE)
    value.show()
    assert capsys.readouterr().out == f"{value!r}\n"


@pytest.mark.parametrize("width", [0, -1, 10**6, 1.5, "99px", None, True])
def test_a_width_that_cannot_be_right_is_refused(width: Any) -> None:
    with pytest.raises(MuAPIError, match="width must be pixels"):
        prediction(PICTURE).show(width=width)


def test_no_repr_holds_a_key_or_a_webhook() -> None:
    key, hook = "sk-live-0123456789abcdef", "https://hooks.example/h/0123456789abcdefghi"
    call = raw_call("x", {"prompt": "a fox", "webhook_url": hook})
    value = prediction(PICTURE, call=call, headers={"x-echo": key}, raw={"key": key})
    for shown in (value, Outcomes([Outcome(0, "a", call, Job("a", call, COST, datetime.now(UTC)), value)])):
        assert not any(secret in shown._repr_html_() for secret in (key, "0123456789abcdefghi"))
