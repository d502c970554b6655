"""From a question to the models that answer it, best first.

A question's typing errors are mended, and it is read into terms: the longest phrases that ``words`` knows, else its
words. A term is looked for as it was asked and as the catalogue says it; a word that nobody says is taken for a part of
one in a name. What a model scores is the sum, over the terms, of how well it fits times how rare that is.

Lives here: reading, scoring, and what of a model is searched. Does not live here: the words (``words``), the
full-text index (``index``), prices and other filters (``catalog``).
"""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
from math import log
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from muapi_client._catalog.index import Index, stem
from muapi_client._catalog.words import STOP, SYNONYMS
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

# Where a phrase may stand, and what it is worth there.
WORTH: Final = {"name": 1.0, "purpose": 0.9, "inputs": 0.4, "prose": 0.15}
AS_SAID: Final = 0.8  # what the catalogue's word for the asker's word counts, beside the word itself
IN_PART: Final = 0.6  # what a word counts of which the asker's is a part
PARTS: Final = 3  # how many of them are looked for
NOISE: Final = 0.1  # of the best score: what answers a question less well than that only mentions its words
STRONG: Final = 0.5  # of the best score: what answers a question so well may lack more of its terms than others do
NEAR: Final = 0.8  # how like two words are, from 0 to 1, for one to be the other with a typing error
MOST: Final = 100  # words of a question: each costs a millisecond, and a whole prompt asks for nothing
SHORTEST: Final = 3  # letters a word must have to be taken for a part of another

_WORD: Final = re.compile(r"[^\W_]+(?:\.\d+)*")
_VERSION: Final = re.compile(r"v(\d+(?:\.\d+)*)")
_NUMBERED: Final = re.compile(r"([^\W\d]{2,})(\d.*)")
_DOTTED: Final = re.compile(r"(?<![\d.])(\d{1,2})[-_](\d)(?![\d.]|[a-z])")  # claude-opus-4-5


class Hit(NamedTuple):
    """A model that answers a question.

    Attributes:
        slug: The model.
        terms: How many of the question's terms it has.
        score: How well it answers; more is better.
    """

    slug: str
    terms: int
    score: float


class Search:
    """The catalogue of one document, ready to be asked. Threads may share it."""

    def __init__(self, catalog: Mapping[str, Any]) -> None:
        """Index what ``catalog.json`` says.

        Raises:
            MuAPIError: This Python's SQLite has no FTS5.
        """
        requests = {name: _describe_request(fields) for name, fields in catalog["requests"].items()}
        texts = {model["slug"]: _describe(model) | requests.get(model["request"], {}) for model in catalog["models"]}
        self._size: Final = len(texts)
        self._indexes: Final = {
            worth: Index({slug: text[place] for slug, text in texts.items() if place in text})
            for place, worth in WORTH.items()
        }
        self._slugs: Final = {" ".join(_WORD.findall(slug.lower())): slug for slug in texts}
        said = {word for text in texts.values() for part in text.values() for word in part.split()}
        self._stems: Final = {*map(stem, said | _ASKED | STOP)}
        self._names: Final = Counter(word for text in texts.values() for word in set(text["name"].split()))

    def rank(self, question: str, among: Collection[str]) -> list[Hit]:
        """The models that have most of a question's terms, best first; the one whose slug it is before all.

        A model may lack one term in three that another one has, or more if it answers the rest well.

        Args:
            question: In plain words, ``MOST`` of them.
            among: The slugs of the models to look through.

        Raises:
            MuAPIError: It has more.
        """
        words = _WORD.findall(question.lower())
        if len(words) > MOST:
            raise MuAPIError(
                f"a question has {MOST} words at most, and this one has {len(words):,}: ask for what the model should"
                " do, such as 'image to video 1080p'"
            )
        terms = _read([self._mend(word) for word in words])
        scores: dict[str, float] = dict.fromkeys(among, 0.0)
        counts = dict.fromkeys(among, 0)
        for term in terms:
            fits = self._look_up(term)
            weight = log(1 + self._size / (1 + sum(fits.values())))
            for slug in fits.keys() & counts.keys():
                counts[slug] += 1
                scores[slug] += weight * fits[slug]
        least = max(max(counts.values(), default=0) - len(terms) // 3, 1)
        best = max(scores.values(), default=0.0)
        hits = [
            Hit(slug, counts[slug], score)
            for slug, score in scores.items()
            if counts[slug] and score >= best * (NOISE if counts[slug] >= least else STRONG)
        ]
        asked = self._slugs.get(" ".join(words))
        return sorted(hits, key=lambda hit: (hit.slug != asked, -round(hit.score, 6), len(hit.slug), hit.slug))

    def _look_up(self, term: Sequence[str]) -> dict[str, float]:
        """How well each model fits a term: by the best of the ways to say it."""
        fits: dict[str, float] = {}
        version = _VERSION.fullmatch(term[0]) if len(term) == 1 else None
        said = (version[1],) if version else _SAID.get(_bare(term), ())
        ways = [(" ".join(term), 1.0), *((phrase, AS_SAID) for phrase in said)]
        for phrase, worth in ways:
            for place, index in self._indexes.items():
                _keep_best(fits, index.find(phrase), worth * place)
        if len(term) == 1 and not fits:
            for word in self._complete(*term):
                _keep_best(fits, self._look_up([word]), IN_PART)
        return fits

    def _complete(self, part: str) -> list[str]:
        """Words of names that a word is a part of: those that begin with it first, then the more frequent."""
        words = [name for name in self._names if part in name and len(part) >= SHORTEST]
        return sorted(words, key=lambda name: (not name.startswith(part), -self._names[name], name))[:PARTS]

    def _mend(self, word: str) -> str:
        """The word that one with a typing error is most like; others stay as they are."""
        if len(word) < SHORTEST or stem(word) in self._stems or self._complete(word):
            return word
        return next(iter(get_close_matches(word, self._names.keys() | _ASKED, n=1, cutoff=NEAR)), word)


def _keep_best(fits: dict[str, float], found: Mapping[str, float], worth: float) -> None:
    for slug, fit in found.items():
        fits[slug] = max(fits.get(slug, 0.0), worth * fit)


def _read(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The terms of a question."""
    terms: list[tuple[str, ...]] = []
    place = 0
    while place < len(words):
        size = next((n for n in range(_LONGEST, 1, -1) if _bare(words[place : place + n]) in _SAID), 1)
        terms.append(tuple(words[place : place + size]))
        place += size
    telling = [term for term in terms if " ".join(term) not in STOP]
    return list(dict.fromkeys(telling or terms))


def _bare(words: Iterable[str]) -> tuple[str, ...]:
    """Words without their endings, by which phrases are compared."""
    return tuple(map(stem, words))


_SAID: Final = {_bare(phrase.split()): said for asked, said in reversed(SYNONYMS) for phrase in asked}
_ASKED: Final = {word for asked, _ in SYNONYMS for phrase in asked for word in phrase.split()}
_LONGEST: Final = max(map(len, _SAID))


def _describe(model: Mapping[str, Any]) -> dict[str, str]:
    words = _WORD.findall(model["slug"].lower())
    others = [word for word in _spell_out(model["slug"], model["name"] or "") if word not in words]
    purpose = f"{model['group']} {model['kind']} {model['tier'] or ''} {'streaming' if model['streams'] else ''}"
    return {
        "name": " ".join([*words, *dict.fromkeys(others)]),
        "purpose": " ".join(_WORD.findall(purpose.replace("three_d", "3d"))),
    }


def _spell_out(*names: str) -> Iterator[str]:
    """The words of names, and those that people write for them: kling-v2.1 is also 2.1, veo3 also veo and 3."""
    for name in names:
        for word in _WORD.findall(name.lower()):
            yield word
            if version := _VERSION.fullmatch(word):
                yield from (version[1], word.removesuffix(".0"), version[1].removesuffix(".0"))
            elif numbered := _NUMBERED.fullmatch(word):
                yield from (*numbered.groups(), numbered[2].removesuffix(".0"))
            else:
                yield word.removesuffix(".0")
        yield from (".".join(number) for number in _DOTTED.findall(name.lower()))


def _describe_request(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What is searched of a request: its fields and their choices, and what is said of them."""
    inputs: list[str] = []
    prose: list[str] = []
    for name, facts in fields.items():
        if name != "webhook_url":  # which every model has
            inputs += [word for text in (name, *_choices(facts)) for word in _WORD.findall(text.lower())]
            prose += _WORD.findall(facts.get("description", "").lower())
    return {"inputs": " ".join(inputs), "prose": " ".join(prose)}


def _choices(facts: Mapping[str, Any]) -> list[str]:
    found = [facts, facts.get("items", {}), *facts.get("anyOf", ())]
    return [str(choice) for each in found for choice in each.get("enum", ()) if not isinstance(choice, bool)]
