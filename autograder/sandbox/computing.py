"""Environment variables of all processes that compute, kernels and workers: how many threads, and what becomes of
memory that is freed."""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
# In bytes. By default glibc gives each large tensor back at once, and the system clears its pages anew for the next.
KEPT = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(128 * 2**20)}
VARIABLES = ONE_THREAD | KEPT
