"""Whether answers come from a sandbox (test) key: the verdict, and the warning.

Lives here: the values. Does not live here: reaching a verdict (``_sandbox``).
"""

from attrs import frozen

from muapi_client._types.schema import describe_value


@frozen
class SandboxVerdict:
    """Whether answers come from a sandbox key.

    Attributes:
        verdict: True (sandbox), False (live), or None where the evidence does not settle it.
        evidence: What speaks for either and what was found to say nothing, the weightiest first, each a sentence.
    """

    __module__ = "muapi_client"
    __get_pydantic_core_schema__ = classmethod(describe_value)

    verdict: bool | None
    evidence: tuple[str, ...] = ()


class SandboxWarning(UserWarning):
    """An answer came from a sandbox (test) key, and the client was not told which kind of key to expect."""

    __module__ = "muapi_client"
