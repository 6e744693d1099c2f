"""How the C library's allocator treats what a training step frees, in the process of a command."""

import ctypes
import platform

M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
KEPT = 1 << 30
"""Bytes that may lie free at the heap's end before they go back to the system."""
LARGE = 32 << 20
"""Bytes from which on a block is the system's own and goes back when it is freed: glibc's own upper limit."""


def keep_freed_memory() -> None:
    """Lets a step use again what the last one freed, where glibc allocates; elsewhere nothing happens.

    Otherwise the memory of every middling tensor goes back to the system and comes again as pages to be cleared,
    an eighth of a small model's step. The peak is the same: what is kept has been in use. It holds for the whole
    process, so it is a command's to call and no library's.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT)
