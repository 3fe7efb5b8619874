# tries: hold memory where resident pages do not show it: paged out, merged, freed later, huge, or mapped twice by mremap
# only here: its size is that of this project's limits

# %%
# exercise: gaussian_kl
import ctypes
import mmap
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
FAILED, SIZE = ctypes.c_void_p(-1).value, 2**26
PAGED_OUT, COLD, MERGEABLE, FREED_LATER, HUGE = 21, 20, 12, 8, 14
libc.prctl(67, 1, 0, 0, 0)  # PR_SET_MEMORY_MERGE
held = 0
print("reached")
for advice in (PAGED_OUT, COLD, MERGEABLE, FREED_LATER, HUGE):
    for shared in (mmap.MAP_PRIVATE, mmap.MAP_SHARED, mmap.MAP_PRIVATE | 0x40000):  # the last: MAP_HUGETLB
        for _ in range(16):
            start = libc.mmap(None, SIZE, mmap.PROT_READ | mmap.PROT_WRITE, shared | mmap.MAP_ANONYMOUS, -1, 0)
            if start in (None, FAILED):
                break
            for offset in range(0, SIZE, 2**21):
                ctypes.memmove(start + offset, os.urandom(64) + bytes(range(256)) * 8191, 2**21 - 192)
            libc.madvise(start, SIZE, advice)
            libc.mremap(start, 0, SIZE, 1)
            held += SIZE
            if held > 6 * 2**30:
                print("STOLEN", held >> 20)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))
