"""How memory of a training step is had and given back, in the process of a command."""

import ctypes
import os
import platform

M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
KEPT = 1 << 30
"""Bytes that may lie free at the heap's end before they go back to the system."""
LARGE = 32 << 20
"""Bytes from which on a block is the system's own and goes back when it is freed: glibc's own upper limit."""


def spare_pages() -> None:
    """Has a step ask the system for fewer pages, each of which it clears. To be called before torch is imported.

    What a step frees is used again by the next where glibc allocates, and PyTorch takes large tensors in pages of
    2 MB where Linux has them (PyTorch: THP_MEM_ALLOC_ENABLE, which a user's own value overrules). The peak is the
    same. It holds for the whole process, so it is a command's to call and no library's.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT)
