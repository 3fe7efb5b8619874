# tries: lock Python's own files for good, and fill the kernel's memory with a lock for every second byte of a file
# only here: what it finds depends on the machine that grades, not on the grader

# %%
# exercise: gaussian_kl
import fcntl
import random
from pathlib import Path

kept = [open(path) for path in sorted(Path(random.__file__).parent.glob("*.py"))[:100]]
for file in kept:
    fcntl.flock(file, fcntl.LOCK_EX)
own = open("/tmp/own", "w")
for start in range(0, 400_000, 2):
    fcntl.lockf(own, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, start)
# Whoever opens them anew is not kept from it.
for file in kept:
    fcntl.flock(open(file.name), fcntl.LOCK_EX | fcntl.LOCK_NB)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached")
