"""What an evaluation runs on: a device by its name, and what is told of it."""

import platform
from importlib.metadata import version
from typing import Any

import torch

from dsfu.errors import InputError


def device_named(name: str) -> torch.device:
    """A device by name; "auto" is a GPU where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(str(error).splitlines()[0], where=f"--device {name}", expected="auto, cpu or cuda") from error
    return device


def machine_of(device: torch.device) -> dict[str, Any]:
    """The device's name, and versions of what was run on it."""
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        "versions": {"dsfu": version("dsfu"), "torch": torch.__version__, "python": platform.python_version()},
    }
