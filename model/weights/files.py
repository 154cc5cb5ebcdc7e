"""Networks as files: safetensors, which hold numbers and text and nothing that could run, with a card."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from dsfu.errors import InputError
from dsfu.files import write_whole
from dsfu.model.networks.build import build
from dsfu.model.problem import learner_of
from dsfu.model.weights.card import Card

Dtype = Literal["float32", "float16"]

SHIPPED: Final = "dsfu.safetensors"

OF_A_RUN: Final = ("best.safetensors", "weights.safetensors")
"""What a run writes: the weights that were best in validation, and the last ones."""

_CARD: Final = "dsfu card"
_DTYPES: Final = {"float32": torch.float32, "float16": torch.float16}


def save_weights(path: Path, network: nn.Module, card: Card, dtype: Dtype = "float32") -> None:
    """Write a network's weights, with their card inside, and beside them as ``PATH.json`` for people.

    In float16 a file is half as large; `load_weights` gives float32 all the same.
    """
    card = replace(card, dtype=dtype)
    weights = {name: _stored(value, dtype, name, path) for name, value in network.state_dict().items()}
    content = save(weights, metadata={_CARD: card.to_json()})
    write_whole(path, lambda file: file.write(content))
    write_whole(card_path(path), lambda file: file.write((card.to_json() + "\n").encode()))


def load_weights(path: Path | str) -> tuple[nn.Module, Card]:
    """Build the network that a file of weights is of, on the CPU, in float32, not training.

    Raises
    ------
    InputError
        The file is missing, damaged, or not one of ours.
    """
    path = Path(path)
    metadata, weights = _read(path)
    if _CARD not in metadata:
        raise InputError("it has no card", where=str(path), expected="weights that dsfu-model wrote")
    card = Card.from_json(metadata[_CARD], str(path))
    network = build(card.recipe, card.network, learner_of(card.problem))
    _check_shapes(network.state_dict(), weights, str(path))
    network.load_state_dict({name: value.to(torch.float32) for name, value in weights.items()})
    return network.eval(), card


def shipped() -> Path:
    """The weights that come with the package."""
    path = Path(__file__).with_name(SHIPPED)
    if not path.exists():
        raise InputError(
            "no weights came with this installation",
            where=str(path),
            expected="a file of weights",
            remedy="train some with dsfu-model train, and name them with --weights",
        )
    return path


def weights_file(path: Path) -> Path:
    """The file of weights that a path stands for: itself, or the best of a run's folder, or else the run's last."""
    if not path.is_dir():
        return path
    for name in OF_A_RUN:
        if (path / name).is_file():
            return path / name
    raise InputError(
        "there are no weights in this folder",
        where=str(path),
        expected=" or ".join(OF_A_RUN),
        remedy="a run of dsfu-model train writes them with its first checkpoint",
    )


def card_path(path: Path) -> Path:
    """Where the card beside a file of weights is."""
    return path.with_suffix(".json")


def _stored(value: Tensor, dtype: Dtype, name: str, path: Path) -> Tensor:
    stored = value.detach().cpu().to(_DTYPES[dtype]).contiguous()
    if not torch.isfinite(stored).all():
        raise InputError(
            f"the weights {name} are not finite in {dtype}",
            where=str(path),
            expected="finite numbers" if dtype == "float32" else "numbers below 65 504, or float32",
        )
    return stored


def _read(path: Path) -> tuple[Mapping[str, str], dict[str, Tensor]]:
    if not path.is_file():
        expected = "a file of weights (.safetensors), or the folder of a training"
        raise InputError("there is no such file", where=str(path), expected=expected)
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"it is damaged, or no safetensors: {' '.join(str(error).split())[:120]}",
            where=str(path),
            expected="a file of weights that dsfu-model wrote",
            remedy="copy it again, and compare its size",
        ) from error


def _check_shapes(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], where: str) -> None:
    for name in sorted(wanted.keys() | found.keys()):
        ours, its = (list(each[name].shape) if name in each else None for each in (wanted, found))
        if ours != its:
            raise InputError(
                f"{name} has the shape {json.dumps(its)}",
                where=where,
                expected=f"{json.dumps(ours)}, as its card says what network it is of",
            )
