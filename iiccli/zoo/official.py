"""Reading the checkpoints that the authors of IICNet published.

A checkpoint is a plain state dict without options; they are found from names and shapes. Where
these fit several configurations the likeliest is taken (see `infer_config`), and a caller who
knows better says so.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from iiccli.errors import ModelError
from iiccli.networks.iicnet import IICNet, IICNetConfig
from iiccli.networks.iicnet.config import Downscale
from iiccli.networks.invertible import Haar
from iiccli.networks.invertible.order import BANDS, COLOURS, Order
from iiccli.zoo.modelfile import check_header

COLOUR_ORDER: Final = "bgr"
"""The channels of a picture, as the official networks were trained."""

REFERENCE_POSITION: Final = "first"
"""Where the reference stands among the pictures; the others follow in time order."""

VIDEO_REFERENCE: Final = "middle"
"""Which frame of a clip is the reference."""

Shape = tuple[int, ...]

_HAAR = "1.operations.0.haar_weights"
_MIX = "1.operations.1.weight"
_WRAPPERS = ("state_dict", "params", "params_ema", "model", "net")
_PREFIXES = ("module.", "net.", "model.")
_NAMED = 3  # how many names an error message gives


def load_official(
    path: str | Path,
    *,
    pictures: int | None = None,
    order: Order | None = None,
    out_channels: int | None = None,
) -> tuple[IICNetConfig, dict[str, Tensor]]:
    """Read an official checkpoint, ``.pth`` or ``.safetensors`` of the same names.

    Args:
        path: the file. Only weights are unpickled, never code.
        pictures: as for `infer_config`.
        order: as for `infer_config`.
        out_channels: as for `infer_config`.

    Returns:
        The configuration, and a float32 state dict on the CPU that its `IICNet` loads strictly.

    Raises:
        ModelError: the file is missing, is no checkpoint, holds code, or fits no configuration.
    """
    path = Path(path)
    state = _state_dict(_read(path), path)
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    if claimed > path.stat().st_size:
        raise ModelError(
            f"{path.name}: its tensors claim to be larger than the file.", "Get the file again."
        )
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    try:
        config = infer_config(shapes, pictures=pictures, order=order, out_channels=out_channels)
    except ModelError as error:
        raise ModelError(f"{path.name}: {error.message}", error.hint) from error
    if _HAAR in state:
        state[_HAAR] = _checked_haar(state[_HAAR], config, path)
    return config, {name: tensor.detach().float().contiguous() for name, tensor in state.items()}


def infer_config(
    shapes: Mapping[str, Sequence[int]],
    *,
    pictures: int | None = None,
    order: Order | None = None,
    out_channels: int | None = None,
) -> IICNetConfig:
    """The configuration that the names and shapes of a state dict belong to.

    Four things are not always told by them, and are then assumed, unless an argument says more:

    - the channel order of downscaled pictures, where a quarter of all channels is also four
      times the carrier's (4 pictures and 3 channels out): ``ref``; for one picture with 3
      channels out only ``hl`` is possible;
    - the carrier's channels after downscaling in order ``hl``: 3;
    - without relation module, Haar and 1×1: whether 12 channels, split after 3, are 4 pictures
      at full size or 1 squeezed: the former;
    - options without effect (1×1 and order without downscaling, features without a relation
      module): the defaults of `IICNetConfig`.

    Args:
        shapes: name → shape, as in a state dict; a ``module.`` prefix is ignored.
        pictures: the number of pictures, if known.
        order: the channel order, if known.
        out_channels: the carrier's channels, if known.

    Raises:
        ModelError: names or shapes fit no configuration.
    """
    prefix = _common_prefix(shapes)
    given = {name.removeprefix(prefix): tuple(shape) for name, shape in shapes.items()}
    wanted = {"pictures": pictures, "order": order, "out_channels": out_channels}
    fitting = [
        config
        for config in _candidates(given)
        if all(value in (None, getattr(config, key)) for key, value in wanted.items())
    ]
    if not fitting:
        told = ", ".join(f"{key} {value}" for key, value in wanted.items() if value is not None)
        raise ModelError(
            "The shapes of the checkpoint fit no IICNet" + (f" with {told}." if told else "."),
            "Only official IICNet checkpoints, or files of the same names, can be imported.",
        )
    best = fitting[0]
    _check_names_and_shapes(given, best)
    return best


def _candidates(shapes: Mapping[str, Shape]) -> Iterator[IICNetConfig]:
    """All configurations with the checkpoint's channel counts, the likeliest first."""
    blocks = [int(m[1]) for name in shapes if (m := re.match(r"2\.operations\.(\d+)\.", name))]
    heads = [
        int(m[1]) for name in shapes if (m := re.match(r"0\.forw_rel\.DB_heads\.(\d+)\.", name))
    ]
    to_first = shapes.get("2.operations.0.F.conv5.weight", ())
    to_rest = shapes.get("2.operations.0.G.conv5.weight", ())
    if not (blocks and len(to_first) == len(to_rest) == 4):
        raise ModelError(
            "The checkpoint has no coupling blocks of an IICNet.",
            "Their names begin with '2.operations.0.'; is this an official IICNet checkpoint?",
        )
    if max(blocks) >= len(shapes):  # a number that no network of these tensors has
        raise ModelError("The checkpoint lacks coupling blocks that its names count.")
    split, channels = to_first[0], to_first[0] + to_rest[0]
    features = shapes.get("0.forw_rel.DB_heads.0.conv5.weight", (64,))[0]
    downscales: tuple[Downscale, ...] = get_args(Downscale)
    if _HAAR in shapes:
        downscales = ("haar",)
    elif any(name.startswith("1.") for name in shapes):
        downscales = ("squeeze",)
    else:
        downscales = ("none", "squeeze")
    orders: tuple[Order, ...] = ("ref", "hl")
    options = [
        (down, order, out) for down in downscales for order in orders for out in (COLOURS, 1)
    ]
    for downscale, order, out_channels in options:
        pictures, left = divmod(channels, COLOURS * (1 if downscale == "none" else BANDS))
        if left or (heads and len(set(heads)) != pictures):
            continue
        try:
            config = IICNetConfig(
                pictures=pictures,
                blocks=max(blocks) + 1,
                relation=bool(heads),
                relation_features=features,
                downscale=downscale,
                conv1x1=downscale == "none" or _MIX in shapes,
                order=order,
                out_channels=out_channels,
            )
        except ValueError:
            continue  # for example more channels out than there are
        if config.split == split:
            yield config


def _check_names_and_shapes(given: Mapping[str, Shape], config: IICNetConfig) -> None:
    with torch.device("meta"):
        expected = {name: tuple(t.shape) for name, t in IICNet(config).state_dict().items()}
    hint = "Only official IICNet checkpoints, or files of the same names, can be imported."
    if missing := [name for name in expected if name not in given]:
        raise ModelError(f"The checkpoint lacks {_named(missing)}.", hint)
    if unexpected := [name for name in given if name not in expected]:
        raise ModelError(f"The checkpoint has what no IICNet has: {_named(unexpected)}.", hint)
    for name, shape in expected.items():
        if given[name] != shape and name != _HAAR:
            raise ModelError(
                f"The checkpoint's {name} has the shape {given[name]} where an IICNet with its "
                f"other shapes has {shape}.",
                hint,
            )


def _named(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _read(path: Path) -> Any:
    """What the file holds: a dictionary of some kind, if it is a checkpoint."""
    if not path.is_file():
        raise ModelError(f"There is no file {path}.", "Give the path of a .pth checkpoint.")
    not_one = ModelError(
        f"{path} is not a PyTorch checkpoint.",
        "Give the .pth (or .safetensors) of an official IICNet; it may be damaged or incomplete.",
    )
    if path.suffix == ".safetensors":
        try:
            check_header(path)
            return load_file(path)
        except (SafetensorError, OSError, ModelError) as error:
            raise not_one from error
    if _is_packed(path):
        raise not_one
    try:
        with warnings.catch_warnings():  # torch's, about formats that nobody here has chosen
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not _is_pickle(path):
            raise not_one from error
        raise ModelError(
            f"{path} holds more than weights, and nothing of it was run.",
            "Save its state dict alone, torch.save(net.state_dict(), ...), where you trust it.",
        ) from error
    except Exception as error:  # torch raises nearly anything on damaged files
        raise not_one from error


def _is_packed(path: Path) -> bool:
    """Whether it is an archive with compressed members, which torch never writes.

    A small one could unpack to more than fits into memory.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False  # torch says what it is


def _is_pickle(path: Path) -> bool:
    """Whether a file that torch would not load is at least what torch writes."""
    with path.open("rb") as file:
        return zipfile.is_zipfile(path) or file.read(1) == pickle.PROTO


def _state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    """The names and tensors in what was read, without wrapping and prefix."""
    for key in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if (
        not isinstance(content, Mapping)
        or not content
        or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items())
    ):
        raise ModelError(
            f"{path} is not a state dict.",
            "Expected tensors by name, possibly inside 'state_dict' or 'params'.",
        )
    prefix = _common_prefix(content)
    return {name.removeprefix(prefix): tensor for name, tensor in content.items()}


def _common_prefix(names: Mapping[str, Any]) -> str:
    """What a wrapper, such as DataParallel, put before every name."""
    prefix = ""
    while names:
        longer = (prefix + p for p in _PREFIXES if all(n.startswith(prefix + p) for n in names))
        if (found := next(longer, None)) is None:
            break
        prefix = found
    return prefix


def _checked_haar(given: Tensor, config: IICNetConfig, path: Path) -> Tensor:
    """The Haar filters as our module has them, if the checkpoint's are these.

    They are a constant; a checkpoint may hold them once, or once per channel.
    """
    expected = Haar(config.in_channels).haar_weights.detach()
    fits = (
        given.dim() == expected.dim()
        and given.shape[1:] == expected.shape[1:]
        and len(given) in (BANDS, len(expected))
        and torch.equal(given.float(), expected[: len(given)])
    )
    if not fits:
        raise ModelError(
            f"{path}: its Haar filters are not those of an IICNet.",
            "The filters ++/++, +-/+-, ++/-- and +-/-+ are expected, as ones.",
        )
    return expected
