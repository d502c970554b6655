"""The API key in the system's keyring: read, kept, taken out.

A keyring is of whatever backend a machine has, and may raise anything; a text of its own may hold the key. So each
trouble is an error in words, with the text of an error that keyring itself made for people, else with its kind alone.

Lives here: asking the keyring. Does not live here: which key a command uses (``_client``), reading one that is typed
(``_auth``).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from muapi_client._settings.api_key import VARIABLE, APIKey
from muapi_client.errors import AuthenticationError, MuAPIError

SERVICE: Final = "muapi-client"  # what the keyring calls us; a key's user name there is the origin it is for
MISSING: Final = "no keyring is at hand: pip install keyring; or set MUAPI_API_KEY, which comes first in any case"


def read_key(origin: str) -> str | None:
    """The API key that the keyring has for an origin; None where it has none, or there is no keyring.

    Raises:
        AuthenticationError: The keyring is there and does not tell it.
    """
    keyring: Any = None
    try:
        keyring = import_module("keyring")  # not of an extra: a machine has one, or has not
        key = keyring.get_password(SERVICE, origin)
    except Exception as error:  # noqa: BLE001 - as the charter says
        if isinstance(error, ImportError) if keyring is None else isinstance(error, keyring.errors.NoKeyringError):
            return None
        trouble = _describe(error, keyring)
    else:
        if key is None or isinstance(key, str):
            return key
        trouble = f"it answers with {type(key).__name__}, which is no text"
        del key  # a traceback that shows locals shows no key
    raise AuthenticationError(
        f"the keyring does not tell the API key ({trouble}); {VARIABLE} comes before it (nothing was sent)"
    )


def need_keyring() -> None:
    """Say how to get a keyring where there is none, before a key is asked for.

    Raises:
        ImportError: The package is not installed.
        MuAPIError: It cannot be loaded.
    """
    try:
        import_module("keyring")
    except ImportError:
        raise ImportError(MISSING) from None
    except Exception as error:  # noqa: BLE001 - as the charter says
        raise MuAPIError(f"the keyring cannot be used ({_describe(error, None)}): set {VARIABLE}") from None


def keep_key(origin: str, key: str) -> None:
    """Keep a key.

    Raises:
        MuAPIError: The keyring does not take it.
    """
    keyring = import_module("keyring")
    try:
        keyring.set_password(SERVICE, origin, key)
    except Exception as error:  # noqa: BLE001 - as the charter says
        trouble = APIKey(key).hide_text(_describe(error, keyring))
    else:
        return
    finally:
        del key  # a traceback that shows locals shows no key
    raise MuAPIError(f"the keyring does not take the key ({trouble}), so it is not kept: set {VARIABLE}")


def take_key_out(origin: str) -> None:
    """Take a key out.

    Raises:
        MuAPIError: The keyring does not give it away.
    """
    keyring = import_module("keyring")
    try:
        keyring.delete_password(SERVICE, origin)
    except Exception as error:  # noqa: BLE001 - as the charter says
        trouble = _describe(error, keyring)
    else:
        return
    raise MuAPIError(f"the keyring does not give the key away ({trouble}), so it is still there")


def _describe(error: Exception, keyring: Any) -> str:
    is_for_people = keyring is not None and isinstance(error, keyring.errors.KeyringError)
    return (str(error) if is_for_people else "") or type(error).__name__
