"""The models that tests run, chosen by kind from the catalogue of the pinned document: which there are changes with it.

``IMAGE`` is a :class:`~muapi_client.catalog.Model`, ``make_image`` its request function; likewise for each name of
``WANTED``; ``STREAMED`` is the model that ``STREAM`` streams. While the document has a kind's favourite, it is that
one; should it go, lose its price, or take something else than tests give it, another of its kind takes its place. Where
none is left, the tests that asked are skipped, and say so.

Lives here: what tests need of a model of each kind, and ``needs`` for a test that is about one model's own rules. Does
not live here: documents of a test's own, which name what they like.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from muapi_client.catalog import Model

PICTURE = "https://example.com/fox.png"


@frozen
class Wanted:
    """What tests need of a model.

    Attributes:
        group: The group it is in.
        favourite: The slug of the one they take while it is there.
        takes: Fields it takes together, and needs no others.
        refuses: Fields it refuses, each alone beside those it takes.
        plain: Whether it takes an empty body, too.
        priced: Whether tests reckon with its price.
    """

    group: str
    favourite: str
    takes: Mapping[str, Any]
    refuses: Mapping[str, Any] = {}
    plain: bool = False
    priced: bool = True


PICTURED = {"prompt": "the fox", "width": 512, "height": 768, "num_images": 3, "sync": False, "model_id": []}
UNPICTURED = {"num_images": 9, "width": "wide", "sync": "yes", "model_id": "civitai:1", "webhook_url": "./picture.png"}
COLLAGED = {"prompt": "the fox", "images_list": [PICTURE] * 10}
WANTED = {
    "IMAGE": Wanted("text_to_image", "flux-dev-image", PICTURED, UNPICTURED, plain=True),
    "OTHER_IMAGE": Wanted("text_to_image", "flux-schnell-image", {"prompt": "the fox", "num_images": 2}),
    "EDIT": Wanted("image_edit", "flux-kontext-dev-i2i", {"prompt": "by night", "images_list": [PICTURE]}),
    "VIDEO": Wanted("text_to_video", "seedance-lite-t2v", {"prompt": "the fox", "duration": 5}),
    "CLIP": Wanted("text_to_video", "veo3-text-to-video", {"prompt": "the fox"}),
    "CHAT": Wanted("language", "gpt-5-mini", {"prompt": "why?", "image_url": PICTURE}),
    "STREAM": Wanted("language", "gpt-5-2/stream", {"prompt": "why?", "image_url": PICTURE}, priced=False),
    "LIPSYNC": Wanted("lipsync", "ltx-2.3-lipsync", {"audio_url": "https://example.com/fox.mp3", "image_url": PICTURE}),
    "COLLAGE": Wanted("image_edit", "kling-o3-image-edit", COLLAGED, {"images_list": [PICTURE] * 11}),
    "UPSCALE": Wanted("image_enhance", "ai-image-upscale", {"image_url": PICTURE}, {"image_url": None}),
    "COMPANY": Wanted("data", "company-enrich", {"domain": "example.com", "idempotency_key": "order-1"}, priced=False),
}


def __getattr__(name: str) -> Any:
    kind = name.removeprefix("make_").upper()
    if name == "STREAMED":
        from muapi_client import catalog

        return catalog.get(_find("STREAM").slug.removesuffix("/stream"))
    if name == "ImageRequest":  # the class of IMAGE's bodies
        import muapi_generated.models as bodies

        return getattr(bodies, _find("IMAGE").request)
    if name in WANTED:
        return _find(name)
    if kind in WANTED and name == f"make_{kind.lower()}":
        from muapi_client import models

        return getattr(models, _find(kind).function)
    raise AttributeError(name)


def needs(slug: str, body: Mapping[str, Any] | None = None, **fields: Mapping[str, Any]) -> pytest.MarkDecorator:
    """The mark of a test about one model's own rules: it is skipped once the document tells them otherwise.

    Args:
        slug: The model's.
        body: What it has to take, if anything.
        fields: By field, what the document has to say of it.
    """
    import pytest  # the programs do without

    from muapi_client import catalog

    model = {model.slug: model for model in catalog.all()}.get(slug)
    found = {field.name: field.schema for field in model.fields} if model else {}
    fits = model is not None and (body is None or takes(model, body))
    fits = fits and all(rules.items() <= found.get(name, {}).items() for name, rules in fields.items())
    return pytest.mark.skipif(not fits, reason=f"{slug} is gone, or takes something else: choose another for this test")


def needs_bodies(bodies: Mapping[str, Mapping[str, Any]]) -> pytest.MarkDecorator:
    """The mark of tests of the server's own operations: it is skipped once the document takes other bodies there.

    Args:
        bodies: By the path of a POST without ``/api/v1/``, a body with all fields that it has to take.
    """
    import pytest
    from jsonschema_rs import Draft202012Validator

    from muapi_client.emulator._spec.operations import PREFIX, read_operations

    changed = []
    for path, body in bodies.items():
        with suppress(KeyError):  # it is gone
            operation = read_operations().at(f"{PREFIX}{path}")["POST"]
            fits = Draft202012Validator(operation.body or False).is_valid(body)
            if fits and not operation.needed and body.keys() <= operation.properties.keys():
                continue
        changed.append(path)
    return pytest.mark.skipif(bool(changed), reason=f"{changed} take something else: let these tests send that")


def row(slug: str, *given: Any, body: Mapping[str, Any] | None = None, **fields: Mapping[str, Any]) -> Any:
    """A row of a parametrized test, about the rules of the model whose slug it begins with: see :func:`needs`."""
    import pytest

    return pytest.param(slug, *given, marks=needs(slug, body, **fields))


def rows(*given: tuple[Any, ...]) -> list[Any]:
    """Rows of a parametrized test, each of a slug and a body that this model has to take: see :func:`needs`."""
    return [row(slug, body, *others, body=body) for slug, body, *others in given]


def price_of(model: Model, count: float = 1) -> str:
    """What the price list says of so many jobs of a model, in USD, as the command line writes it."""
    assert model.price is not None
    assert model.price.cost_usd is not None
    return f"{(model.price.cost_usd * Decimal(str(count))).normalize():f}"


def fields_of(document: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """The schemas of a model's fields in a document, to change; others may share them."""
    content = document["paths"][f"/api/v1/{model.slug}"]["post"]["requestBody"]["content"]
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    fields: dict[str, Any] = document["components"]["schemas"][name]["properties"]
    return fields


@cache
def list_functions() -> dict[str, str]:
    """The function of each kind, by ``image``, ``edit``, …, for programs that watch what a process loads when.

    Another process chooses them, for choosing loads much of the package.
    """
    told = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True).stdout
    functions: dict[str, str] = json.loads(told)
    return functions


def _find(name: str) -> Model:
    found, wanted = _choose_all()[name], WANTED[name]
    if found is not None:
        return found
    message = f"no {wanted.group} model of the pinned document takes {wanted.takes}: see {name} in tests/by_kind.py"
    if "pytest" in sys.modules:
        import pytest

        pytest.skip(message, allow_module_level=True)
    raise LookupError(message)


@cache
def _choose_all() -> Mapping[str, Model | None]:
    """Choose for every name, each another model."""
    from muapi_client import catalog

    chosen: dict[str, Model | None] = {}
    favourites = {wanted.favourite for wanted in WANTED.values()}
    for name, wanted in WANTED.items():
        taken = {model.slug for model in chosen.values() if model is not None}
        fitting = [model for model in catalog.all() if model.slug not in taken and _fits(model, wanted)]
        chosen[name] = min(
            fitting,
            key=lambda model, wanted=wanted: (  # type: ignore[misc]
                wanted.priced and not _costs(model),
                model.slug != wanted.favourite,
                not _costs(model),
                model.function == model.slug,  # tests tell a slug from the name of a function
                model.slug in favourites,  # which another kind is to have
                model.slug,
            ),
            default=None,
        )
    return chosen


def _costs(model: Model) -> bool:
    """Whether the price list has a price above 0 of the model, or of what it streams."""
    from muapi_client import catalog

    priced = {one.slug for one in catalog.all() if one.price is not None and one.price.cost_usd}
    return model.slug.removesuffix("/stream") in priced


def _fits(model: Model, wanted: Wanted) -> bool:
    if model.group != wanted.group or model.streams != wanted.favourite.endswith("/stream"):
        return False
    bodies = [wanted.takes, *([{}] if wanted.plain else [])]
    return all(takes(model, body) for body in bodies) and not any(
        takes(model, {**wanted.takes, name: value}) for name, value in wanted.refuses.items()
    )


def takes(model: Model, body: Mapping[str, Any]) -> bool:
    """Whether a model takes a body, by the pinned document, and asks for nothing in its query."""
    from muapi_client._spec.validation import check
    from muapi_client.emulator._spec.operations import read_operations
    from muapi_client.errors import ValidationError

    if read_operations().at(model.operation.path)["POST"].needed or body.keys() - {one.name for one in model.fields}:
        return False
    try:
        check(model.call(**body))
    except ValidationError:
        return False
    return True


if __name__ == "__main__":
    json.dump({name.lower(): one.function for name, one in _choose_all().items() if one is not None}, sys.stdout)
