"""Where a run computes and in what precision, settled before its first step."""

import os
from typing import Literal

import torch

from sparse_encoder._files import InputError
from sparse_encoder.settings import SettingsError

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["fp32", "bf16", "fp16", "auto"]


def choose_device(wanted: Device) -> torch.device:
    """A GPU where there is one, this process's own among several; InputError where one is wanted and there is none."""
    if not _takes_gpu(wanted):
        return torch.device("cpu")
    number, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= count:
        raise InputError(f"process {number} has no GPU of its own among {count}; start at most {count} processes")
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def deal_device(wanted: Device, process: int) -> torch.device:
    """The GPU of the process of that number among those that a command starts itself: dealt out in turn."""
    if not _takes_gpu(wanted):
        return torch.device("cpu")
    number = process % torch.cuda.device_count()
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def _takes_gpu(wanted: Device) -> bool:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise SettingsError("'device' is cuda, but torch finds no CUDA GPU here; give cpu or auto")
    return wanted != "cpu" and torch.cuda.is_available()


def choose_precision(wanted: Precision, device: torch.device) -> torch.dtype:
    """The type of matrix products; InputError where the device has no arithmetic in it.

    auto is bf16 where it is native: elsewhere it is emulated and slower than fp32.
    """
    if wanted == "fp16" and device.type != "cuda":
        raise SettingsError(f"'precision' is fp16, which wants a CUDA GPU; on {device.type} give bf16, fp32 or auto")
    if wanted == "bf16" and device.type == "cuda" and not has_fast_bf16("cuda"):
        raise SettingsError("'precision' is bf16, which this GPU does not compute in; give fp16 or fp32")
    if wanted == "fp16":
        return torch.float16
    return torch.bfloat16 if wanted == "bf16" or (wanted == "auto" and has_fast_bf16(device.type)) else torch.float32


def has_fast_bf16(device: str) -> bool:
    """Whether bf16 products are native here."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(device == "cpu" and torch.cpu._is_avx512_bf16_supported())
