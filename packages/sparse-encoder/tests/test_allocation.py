import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from sparse_encoder import allocation

FREED = """
import ctypes, resource
from sparse_encoder.allocation import spare_pages
spare_pages()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
faults = []
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = libc.malloc(16 << 20)
    libc.memset(block, 1, 16 << 20)
    libc.free(block)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(*faults)
"""

LARGE = """
import resource
from sparse_encoder.allocation import spare_pages
spare_pages()
import torch
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(1 << 28, dtype=torch.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
HUGE = Path("/sys/kernel/mm/transparent_hugepage/enabled")


@pytest.mark.skipif(not HUGE.exists() or "[never]" in HUGE.read_text(), reason="the system has no large pages")
def test_a_large_tensor_comes_in_large_pages() -> None:
    said = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=True).stdout
    assert int(said) < (1 << 28) // resource.getpagesize() // 10


@pytest.mark.skipif(allocation.platform.libc_ver()[0] != "glibc", reason="only glibc's allocator can be told")
def test_a_block_that_was_freed_is_used_again_without_new_pages() -> None:
    said = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True).stdout
    _, *again = map(int, said.split())
    assert max(again) < (16 << 20) // resource.getpagesize() // 100


def test_elsewhere_nothing_happens_and_a_users_own_setting_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocation.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(allocation.ctypes, "CDLL", None)
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "0")
    allocation.spare_pages()
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "0"
