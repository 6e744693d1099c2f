"""How a model is loaded into this process, for the backends that do: vllm and transformers.

What changes the weights is part of the model's revision, and so of the cache's key.
"""

from typing import Literal

import msgspec


class Engine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `--engine NAME=VALUE`; 0 and empty leave the choice to the library."""

    revision: str = ""
    """Branch, tag or commit of a model on a hub."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    quantization: Literal["", "fp8", "int8", "awq", "gptq"] = ""
    """fp8 and int8 also of a model that is stored whole; awq and gptq only of one that is stored so."""
    tensor_parallel_size: int = 1
    max_model_len: int = 0
    """Tokens of prompt and answer together."""
    cpu_offload_gb: float = 0.0
    """GiB of weights that stay in main memory."""
    gpu_memory_utilization: float = 0.9
    """Share of a GPU's memory that may be used."""
    batch_size: int = 8
    """Prompts at once, for transformers; vllm orders its own batches."""

    @property
    def weights(self) -> str:
        """What of it decides the weights; empty where nothing is set.

        >>> Engine(dtype="bfloat16", quantization="int8", batch_size=4).weights
        'dtype=bfloat16,quantization=int8'
        """
        parts = {"revision": self.revision, "dtype": self.dtype, "quantization": self.quantization}
        return ",".join(f"{name}={value}" for name, value in parts.items() if value not in {"", "auto"})
