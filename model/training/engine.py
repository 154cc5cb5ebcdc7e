"""How one update of weights is done on a device: precision, gradient clipping, scaling of losses."""

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from dsfu.errors import InputError
from dsfu.model.training.config import Config

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class TrainingEngine:
    """Forward passes and updates as a configuration wants them on a device."""

    def __init__(self, config: Config, device: torch.device) -> None:
        self.device = device
        self.precision = _precision(config.precision, device)
        self._clip_norm = config.optimiser.clip_norm
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.precision == "fp16")

    def autocast(self) -> AbstractContextManager[Any]:
        """Convolutions within are done in the precision that is wanted."""
        dtype = _DTYPES.get(self.precision)
        return torch.autocast(self.device.type, dtype=dtype, enabled=dtype is not None)

    def update(self, loss: Tensor, *optimisers: Optimizer) -> Tensor:
        """Update optimisers' weights so that a loss becomes smaller; the gradient's norm, before it was clipped.

        In fp16 a gradient may overflow: the scaler then leaves the weights as they are, and the norm counts as 0.
        """
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        for optimiser in optimisers:
            self._scaler.unscale_(optimiser)
        groups = [group for optimiser in optimisers for group in optimiser.param_groups]
        weights = [weight for group in groups for weight in group["params"]]
        norm = nn.utils.clip_grad_norm_(weights, self._clip_norm or float("inf"))
        for optimiser in optimisers:
            self._scaler.step(optimiser)
        self._scaler.update()
        return torch.where(norm.isfinite(), norm, 0.0) if self._scaler.is_enabled() else norm

    def state_dict(self) -> dict[str, Any]:
        return self._scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state and self._scaler.is_enabled():
            self._scaler.load_state_dict(state)


def device_named(name: str, local_rank: int) -> torch.device:
    """The device of a process: "auto" is its GPU if there is one."""
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise InputError("there is no GPU that torch can use", where="device", expected="device=cpu or device=auto")
    if local_rank >= torch.cuda.device_count():
        raise InputError(
            f"process {local_rank} of this node has none of its {torch.cuda.device_count()} GPUs",
            where="device",
            expected="as many processes on a node as it has GPUs",
            remedy=f"torchrun --nproc-per-node {torch.cuda.device_count()}",
        )
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    return device


def _precision(wanted: str, device: torch.device) -> str:
    has_bf16 = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    if wanted == "auto":
        return "bf16" if has_bf16 else "fp32"
    if wanted == "bf16" and device.type == "cuda" and not has_bf16:
        raise InputError("this GPU has no bf16", where="precision", expected="precision=fp16, or auto")
    if wanted == "fp16" and device.type == "cpu":
        raise InputError("fp16 is for GPUs", where="precision", expected="precision=fp32, bf16 or auto")
    return wanted
