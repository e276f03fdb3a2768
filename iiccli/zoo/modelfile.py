"""A model is one safetensors file that says what it is; its identity is its SHA-256."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iiccli.atomic import atomic_path
from iiccli.errors import ModelError
from iiccli.zoo.packing import LARGEST, content, head, is_packed, pieces

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = 1
HEADER_LIMIT = 2**20
"""Longest header of a file that is parsed, in bytes: 150 times those of the models that ship."""
NUMBER_LIMIT = 4096
"""No hyper-parameter of a network is larger: what a file claims is not what memory is taken for."""
LENGTH_LIMIT = 64
"""No list among them is longer."""

_TEXTS = ("name", "task", "network", "reference", "colour", "data", "licence")
_TABLES = ("config", "recipe", "metrics")


@dataclass(frozen=True)
class Card:
    """What a model file says about itself.

    Attributes:
        name: with its version, such as `video-5.v1`.
        task: the conversion it was trained for, such as `video`.
        network: which network, a key of `iiccli.networks.registry`.
        config: the network's hyper-parameters.
        reference: which picture comes first among the network's inputs, e.g. `middle`.
        colour: order of the colour channels, `RGB` or `BGR`.
        recipe: how it was trained, resolved.
        data: what it was trained on.
        metrics: figures with the protocol that gave them.
        licence: SPDX identifier of the weights' licence.
        format: version of this table.
    """

    name: str
    task: str
    network: str
    config: dict[str, Any]
    reference: str = "middle"
    colour: str = "RGB"
    recipe: dict[str, Any] = field(default_factory=dict)
    data: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    licence: str = "MIT"
    format: int = FORMAT

    @property
    def pictures(self) -> int:
        """How many pictures go in and come back."""
        return int(self.config.get("pictures", 1))

    @property
    def scale(self) -> int:
        """How many times smaller than the pictures the carrier is."""
        halves = self.config.get("downscale", "none") != "none"
        return int(self.config.get("scale", 2 if halves else 1))


def sha256(path: Path) -> str:
    """Identity of a model file, unpacked if it is packed: 64 hexadecimal digits.

    Raises:
        ModelError: the file cannot be read.
    """
    digest = hashlib.sha256()
    for piece in pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def save_model(path: Path, card: Card, state: dict[str, Tensor], *, force: bool = False) -> str:
    """Write a model file atomically; the result is its SHA-256.

    Raises:
        OutputExistsError: the file exists and `force` is false.
        OutputError: it cannot be written.
    """
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    metadata = {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for key, value in asdict(card).items()
    }
    with atomic_path(path, force=force) as temporary:
        save_file(tensors, temporary, metadata=metadata)
    return sha256(path)


def read_card(path: Path) -> Card:
    """Read only what a model file says about itself; needs no torch.

    Raises:
        ModelError: missing, damaged, not a model of ours, or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ModelError(f"There is no model file {path}.", "See `iic models` for those at hand.")
    check_header(path)
    if is_packed(path):
        return _card(_metadata_in(path), path)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            f"{path} is damaged or is not a safetensors file.", "Get the file again."
        ) from error
    return _card(metadata, path)


def check_header(path: Path) -> None:
    """Refuse what only claims to be a safetensors file, before anything of it is parsed.

    Raises:
        ModelError: it cannot be read, or its header is longer than the file or `HEADER_LIMIT`.
    """
    length = int.from_bytes(head(path, 8), "little")
    rest = LARGEST if is_packed(path) else path.stat().st_size - 8
    if not 2 <= length <= min(rest, HEADER_LIMIT):
        raise ModelError(f"{path} is damaged or is not a safetensors file.", "Get the file again.")


def load_model(path: Path) -> tuple[Card, dict[str, Tensor]]:
    """Read a whole model file.

    Raises:
        ModelError: as `read_card`.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load, load_file

    card = read_card(path)
    try:
        return card, load(content(path)) if is_packed(path) else load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"{path} is damaged.", "Get the file again.") from error


def _metadata_in(path: Path) -> dict[str, str]:
    """What a packed file says about itself; only its beginning is unpacked.

    Raises:
        ModelError: it is damaged.
    """
    length = int.from_bytes(head(path, 8), "little")
    try:
        metadata = json.loads(head(path, 8 + length)[8:])["__metadata__"]
        if not all(isinstance(value, str) for value in metadata.values()):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{path} is damaged or is not a safetensors file.", "Get the file again."
        ) from error
    found: dict[str, str] = metadata
    return found


def _card(metadata: dict[str, str], path: Path) -> Card:
    if "format" not in metadata or "network" not in metadata:
        raise ModelError(
            f"{path} is a safetensors file, but not a model of iic.",
            "Official checkpoints are brought in with `iic models import`.",
        )
    try:
        version = int(metadata["format"])
        if version > FORMAT:
            raise ModelError(
                f"{path} was made by a newer iic (model format {version}).", "Upgrade iic."
            )
        tables: dict[str, Any] = {key: _table(metadata.get(key, "{}")) for key in _TABLES}
        texts: dict[str, Any] = {key: metadata[key] for key in _TEXTS if key in metadata}
        for value in tables["config"].values():
            _check_parameter(value)
        card = Card(**texts, **tables, format=version)
        if card.pictures < 1 or card.scale < 1:
            raise ValueError
        return card
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"The description inside {path} is damaged.") from error


def _table(text: str) -> dict[str, Any]:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    table = json.loads(text, parse_constant=refuse)
    if not isinstance(table, dict):
        raise ValueError("no table")
    return table


def _check_parameter(value: Any) -> None:
    """Refuse a hyper-parameter that would take memory or time before the weights are looked at.

    Raises:
        ValueError: it is too large, or too deep.
    """
    if isinstance(value, list | str | dict) and len(value) > LENGTH_LIMIT:
        raise ValueError("too long")
    if isinstance(value, int | float) and not abs(value) <= NUMBER_LIMIT:
        raise ValueError("too large")
    for item in value if isinstance(value, list) else ():
        _check_parameter(item)
