"""Options that are one of a few words: read from, and checked by, an options class's Literals."""

from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from adain.errors import found_error
from adain.weights import one_of


def plain_type(options: type, name: str) -> Any:
    """The type of a field of a dataclass, where it may be None without that."""
    hint = get_type_hints(options)[name]
    if get_origin(hint) in (Union, UnionType):
        rest = [kind for kind in get_args(hint) if kind is not type(None)]
        hint = rest[0] if len(rest) == 1 else hint
    return hint


def choices(options: type, name: str) -> tuple[str, ...] | None:
    """The words that a field takes, None where it is no Literal."""
    hint = plain_type(options, name)
    return get_args(hint) if get_origin(hint) is Literal else None


def check_choices(options: object) -> None:
    """Raise AdaINError where a field holds none of its words."""
    kind: Any = type(options)
    for name, allowed in _words(kind).items():
        value = getattr(options, name)
        if value not in allowed:
            raise found_error(name, repr(value), one_of(allowed))


@cache  # reading type hints takes milliseconds, and every request has options
def _words(options: type) -> dict[str, tuple[str, ...]]:
    found = {name: choices(options, name) for name in get_type_hints(options)}
    return {name: words for name, words in found.items() if words is not None}
