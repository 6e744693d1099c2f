import resource
import subprocess
import sys

import pytest
from sparse_encoder import allocation

FREED = """
import ctypes, resource
from sparse_encoder.allocation import keep_freed_memory
keep_freed_memory()
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


@pytest.mark.skipif(allocation.platform.libc_ver()[0] != "glibc", reason="only glibc's allocator can be told")
def test_a_block_that_was_freed_is_used_again_without_new_pages() -> None:
    said = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True).stdout
    _, *again = map(int, said.split())
    assert max(again) < (16 << 20) // resource.getpagesize() // 100


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocation.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(allocation.ctypes, "CDLL", None)
    allocation.keep_freed_memory()
