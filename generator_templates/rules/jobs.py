"""Jobs: which operations submit one, and so are models, paid for by the run.

The signs, of which the first that speaks decides
  correction  ``x-python: {job: true}`` or ``{job: false}`` on the operation, which only an Overlay action puts there.
  answer      it is a ``Submission`` that has a ``request_id``, as spec/corrections.yaml has it for whatever takes a
              webhook; or it tells a ``request_id``, and nothing that no submit's answer tells.
  webhook     it takes the query parameter ``webhook``, where no correction has read and removed that.
  form        no POST, a stream, a path with a placeholder, no JSON body, an answer that the document describes: no job.
  neighbours  its tag is one of models, and all POSTs beside it under this tag that a sign above speaks of are jobs.

A POST that has the form of a model and of which no sign speaks is no job, for whoever sends it must not wait for a
result that never comes; but it is named, so that a person decides. So is a POST or PUT of whatever form but a stream's
that hints at a job: its answer has a ``request_id`` or is called ``Submission``, or it takes a webhook by any name.

Lives here: that judgement, and the notes on it. Does not live here: what else an operation is (``operations``).
``spec diff`` judges alike (``muapi_client.pinning``); a test says when the two differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from .document_checks import METHODS, is_stream
from .errors import CorrectionError, quote, show_name
from .groups import GROUPS, TAGS, VAGUE_GROUPS
from .media_types import FORMS, JSON, PLAIN_JSON, find_media_type
from .names import PREFIX
from .path_items import list_parameters
from .problems import Collector
from .schema_syntax import as_object, split_reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .schemas import Schemas

JOB_RESPONSE = "Submission"  # the class of the answer to whatever submits a job
MARK = "x-python"  # the key of a correction's word on an operation
# What submits answer (API reference, "Submit a Job"; spec/corrections.yaml): another field makes it another answer.
SUBMIT_FIELDS = frozenset({"request_id", "id", "status", "cost", "outputs", "error"})
WEBHOOK_NAMES = frozenset({"webhook", "webhook_url"})  # of query parameters and body fields, as the client has them
FEWEST_NEIGHBOURS = 2  # one model alone says nothing of what stands beside it
_ANSWER = {"type": "object", "properties": {"request_id": {"type": "string"}}}  # where no correction describes it

Route = tuple[str, str]  # the method in capitals, and the path


@frozen
class Jobs:
    """Which operations submit a job, and what a person should look at."""

    places: frozenset[Route]
    notes: tuple[str, ...]


@frozen
class _Candidate:
    """An operation, as far as it tells whether it submits a job."""

    place: Route
    tag: str
    has_form: bool  # of a model's: a POST of JSON to a path of its own
    is_job: bool | None  # None: no sign speaks
    has_answer: bool  # the document says what it answers
    hints: bool  # at a job, whatever its form

    @property
    def parent(self) -> str:
        """What stands beside each other has one parent."""
        return self.place[1].rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.place[0]} {show_name(self.place[1])}"


def drop_marks(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without the word that only corrections have on its operations."""
    bare = {**document, "paths": _drop_marks_of_items(document["paths"])}
    components = document.get("components", {})
    if "pathItems" in components:
        bare["components"] = {**components, "pathItems": _drop_marks_of_items(components["pathItems"])}
    return bare


def _drop_marks_of_items(items: Mapping[str, Any]) -> dict[str, Any]:
    return {
        path: {
            key: {word: value for word, value in part.items() if word != MARK}
            if key in METHODS and isinstance(part, dict)
            else part
            for key, part in item.items()
        }
        if isinstance(item, dict)
        else item
        for path, item in items.items()
    }


def find_jobs(document: Mapping[str, Any], schemas: Schemas, prefix: str = PREFIX) -> Jobs:
    """Find the operations that submit a job, and note those that only look like it.

    Args:
        document: The corrected document.
        schemas: Its schemas; that of a submit's answer is added where the document has none and a job needs it.
        prefix: What no slug repeats of its path.

    Raises:
        CorrectionError: A correction's word on an operation is none that is known.
        UnsayableError: Some operations cannot be read.
    """
    candidates = _read_candidates(document, schemas, prefix)
    decided = [candidate for candidate in candidates if candidate.is_job is not None]
    open_ones = [candidate for candidate in candidates if candidate.is_job is None]
    taken = [candidate for candidate in open_ones if _has_neighbours(candidate, decided)]
    jobs = frozenset(candidate.place for candidate in (*decided, *taken) if candidate.is_job is not False)
    if jobs and JOB_RESPONSE not in document.get("components", {}).get("schemas", {}):
        schemas.add_component(JOB_RESPONSE, _ANSWER)
    doubtful = [candidate for candidate in open_ones if candidate not in taken and _is_worth_a_note(candidate, jobs)]
    return Jobs(jobs, (*map(_note_taken, taken), *map(_note_doubtful, doubtful)))


def _is_worth_a_note(candidate: _Candidate, jobs: frozenset[Route]) -> bool:
    return bool(jobs) or candidate.hints or candidate.tag in TAGS


def _read_candidates(document: Mapping[str, Any], schemas: Schemas, prefix: str) -> list[_Candidate]:
    found: list[_Candidate] = []
    problems = Collector()
    for path, reference in document["paths"].items():
        with problems.about("paths", path):
            item = schemas.find_path_item(reference) if not path.startswith("x-") else {}
            for method in (method for method in METHODS if method in item):
                with problems.about("paths", path, method):
                    found.append(_read_candidate(method, path, item, schemas, prefix))
    problems.stop()
    return found


def _read_candidate(method: str, path: str, item: Mapping[str, Any], schemas: Schemas, prefix: str) -> _Candidate:
    definition = item[method]
    place = (method.upper(), path)
    answer, fields = _read_answer(definition.get("responses", {}), schemas)
    body = schemas.find_component("requestBodies", definition.get("requestBody") or {})
    streams = is_stream(path)
    has_form = (
        method == "post"
        and path.startswith(prefix)
        and "{" not in path
        and not streams
        and find_media_type(body.get("content", {}), JSON) != ""
    )
    is_job = _read_mark(definition, place)
    parameters = _list_query_parameters(item, definition, schemas)
    submits = answer == JOB_RESPONSE and "request_id" in fields  # a document may have a Submission of another kind
    if is_job is None and (submits or "webhook" in parameters):
        is_job = True
    hints = (
        is_job is None
        and method in ("post", "put")
        and not streams
        and (
            answer == JOB_RESPONSE
            or "request_id" in fields
            or not WEBHOOK_NAMES.isdisjoint(parameters | _list_body_fields(body, schemas))
        )
    )
    if is_job is None and has_form and "request_id" in fields:
        is_job = True if fields <= SUBMIT_FIELDS else None
    elif is_job is None and not hints and (not has_form or fields):
        is_job = False
    tag = next(iter(definition.get("tags") or ()), "")
    return _Candidate(place, tag, has_form, is_job, bool(fields), hints)


def _read_mark(definition: Mapping[str, Any], place: Route) -> bool | None:
    """Read a correction's word on an operation; None where there is none."""
    if MARK not in definition:
        return None
    mark = definition[MARK]
    if not (isinstance(mark, dict) and mark.keys() == {"job"} and isinstance(mark["job"], bool)):
        raise CorrectionError(
            f"{place[0]} {show_name(place[1])}: a correction gives it {MARK}: {quote(mark)}; known are "
            "{job: true} and {job: false}."
        )
    return mark["job"]


def _list_query_parameters(item: Mapping[str, Any], definition: Mapping[str, Any], schemas: Schemas) -> frozenset[str]:
    parameters: Iterable[Mapping[str, Any]] = (
        schemas.find_component("parameters", parameter) for parameter in list_parameters(item, definition)
    )
    return frozenset(parameter["name"] for parameter in parameters if parameter["in"] == "query")


def _list_body_fields(body: Mapping[str, Any], schemas: Schemas) -> frozenset[str]:
    content = body.get("content", {})
    media_type = find_media_type(content, PLAIN_JSON, JSON, *FORMS)
    _, schema = schemas.read_body(content[media_type].get("schema") or {}) if media_type else ("", {})
    return frozenset(field.wire for field in schemas.read_fields(schema)) if schemas.is_model(schema) else frozenset()


def _read_answer(responses: Mapping[str, Any], schemas: Schemas) -> tuple[str, frozenset[str]]:
    """Read what the first success is: the name of its schema, and its fields; none where it says nothing of JSON.

    An answer of another kind than a JSON object with named fields is told as a field without a name.
    """
    content, media_type = schemas.find_answer(responses)
    if not content:
        return "", frozenset()
    if not media_type:
        return "", frozenset({""})
    schema = as_object(content[media_type].get("schema") or {})
    name = "".join(split_reference(schema.get("$ref", ""))[-1:])
    _, schema = schemas.read_body(schema)
    fields = frozenset(field.wire for field in schemas.read_fields(schema))
    says_nothing = {shape.kind for shape in schemas.read_value(schema).shapes} <= {"any", "object"}
    return name, fields or (frozenset() if says_nothing else frozenset({""}))


def _has_neighbours(candidate: _Candidate, decided: Iterable[_Candidate]) -> bool:
    """Return whether all that stands beside an operation, is of its form and is judged, is a job."""
    group = TAGS.get(candidate.tag, "other")
    if not candidate.has_form or candidate.has_answer or group in VAGUE_GROUPS or GROUPS[group].kind == "platform":
        return False  # its form or its answer is one of its own, or its tag says nothing of models
    beside = [
        other.is_job
        for other in decided
        if other.has_form and (other.tag, other.parent) == (candidate.tag, candidate.parent)
    ]
    return len(beside) >= FEWEST_NEIGHBOURS and all(beside)


def _note_taken(candidate: _Candidate) -> str:
    return (
        f"{candidate} takes no webhook and is taken for a model, as all beside it with tag {quote(candidate.tag)} are; "
        f"if it is none, let a correction update it with {MARK}: {{job: false}}."
    )


def _note_doubtful(candidate: _Candidate) -> str:
    return (
        f"{candidate} looks like a model and is not taken for one, for not all a model has is there: see whether it is "
        f"paid for by the run, and let a correction update it with {MARK}: {{job: true}} or {{job: false}}."
    )
