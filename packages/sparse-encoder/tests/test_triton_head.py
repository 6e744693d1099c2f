import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent


def test_the_kernel_interpreted_on_the_cpu_equals_torch() -> None:
    pytest.importorskip("triton", reason="torch brings no Triton here")
    command = [sys.executable, str(HERE / "triton_worker.py")]
    done = subprocess.run(command, env={**os.environ, "TRITON_INTERPRET": "1"}, capture_output=True, text=True)
    assert done.stdout == "same\n", done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="the kernel compiles here")
def test_where_it_does_not_compile_torch_does_it_with_one_warning() -> None:
    pytest.importorskip("triton", reason="torch brings no Triton here")
    from sparse_encoder.triton_head import is_usable

    with pytest.warns(UserWarning, match="the head runs in torch, not Triton: "):
        assert not is_usable(torch.device("cpu"), torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not is_usable(torch.device("cpu"), torch.float32)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="wants a CUDA GPU")
def test_on_a_gpu_the_head_equals_the_cpu() -> None:
    from sparse_encoder.head import max_logits

    hidden, weight = torch.randn(3, 70, 64), torch.randn(300, 64)
    mask = torch.ones(3, 70, dtype=torch.long)
    found = max_logits(hidden.cuda(), mask.cuda(), weight.cuda()).cpu()
    torch.testing.assert_close(found, max_logits(hidden, mask, weight), rtol=1e-5, atol=1e-5)
