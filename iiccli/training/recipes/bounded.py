"""YAML of strangers: read without filling memory or time, and shown without filling the screen.

A few lines with aliases of aliases stand for billions of values ("billion laughs"), as do merged
tables (`<<`), and one that is part of itself for endlessly many. So a document is measured before
anything is made of it.
"""

from __future__ import annotations

import reprlib
from typing import Any

from iiccli.errors import TrainingError

MOST_BYTES = 2**16
"""Of a recipe; those that come along have some hundreds."""
MOST_VALUES = 10_000
"""Each alias counts as all that it stands for."""
MOST_DIGITS = 30
"""Of a whole number: more only make it slow to write."""
MOST_SHOWN = 60
"""Characters of a text in an error message."""


class NoYamlError(Exception):
    """A text is no YAML.

    Attributes:
        line: where, from 1; None if that is not known.
    """

    def __init__(self, line: int | None) -> None:
        super().__init__(line)
        self.line = line


class TooMuchError(Exception):
    """It holds more than a recipe may."""


def parse(text: str) -> Any:
    """What a YAML text says: tables, lists, texts, numbers, dates, nothing else.

    Raises:
        NoYamlError: it is no YAML, or has tags that are not YAML's own.
        TooMuchError: see `MOST_BYTES`, `MOST_VALUES` and `MOST_DIGITS`.
        TrainingError: the package for YAML is not there.
    """
    yaml = yaml_package()
    if len(text) > MOST_BYTES:
        raise TooMuchError
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _measure(node)
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise NoYamlError(None if mark is None else mark.line + 1) from error
    except (ValueError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
        # What PyYAML says of 2001-99-99, `!!int ""`, `!!bool x`, endless hours, deep nesting.
        raise NoYamlError(None) from error
    finally:
        if loader is not None:
            loader.dispose()


def yaml_package() -> Any:
    """PyYAML, which comes with `iiccli[train]`.

    Raises:
        TrainingError: it is not there.
    """
    try:
        import yaml
    except ImportError as error:
        raise TrainingError(
            "Training needs packages that are not installed.", "pip install 'iiccli[train]'"
        ) from error
    return yaml


def shown(value: object) -> str:
    """A value as Python writes it, cut where it is long."""
    return _SHORT.repr(value)


def shown_key(key: object) -> str:
    """A key as it stands in the file, unless it is long or would not stand in one line."""
    plain = isinstance(key, str) and key.isprintable() and len(key) <= MOST_SHOWN
    return str(key) if plain else shown(key)


_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = MOST_SHOWN


def _measure(node: Any) -> None:
    """Count values, aliases as what they stand for.

    Raises:
        TooMuchError: there are more than allowed.
    """
    left, rest = MOST_VALUES, [node]
    while rest:
        inner = rest.pop()
        left -= 1
        if isinstance(inner.value, str):
            if inner.tag.endswith(":int") and len(inner.value) > MOST_DIGITS:
                raise TooMuchError
        else:
            for part in inner.value:  # nodes of a list, pairs of nodes of a table
                rest.extend(part if isinstance(part, tuple) else (part,))
        if len(rest) > left:
            raise TooMuchError
