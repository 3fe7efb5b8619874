# tries: fill the machine's memory from many processes, none of which takes much
# only here: its size is that of this project's limits
# ends: oom

# %%
# exercise: gaussian_kl
import os
import time

for _ in range(24):
    if os.fork() == 0:
        held = b"x" * (50 * 2**20)  # at once, so that it is memory and not processor time that runs out
        time.sleep(15)
        os._exit(0)
time.sleep(12)  # a machine that is busy is slow to notice
print("STOLEN more memory than there is")


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))
