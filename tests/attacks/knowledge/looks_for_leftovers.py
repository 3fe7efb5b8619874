# tries: find files, shared memory, semaphores and queues that an earlier or a neighbouring submission left

# %%
# exercise: gaussian_kl
import ctypes
import os

looked = 0
for folder in ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", os.path.expanduser("~"), "/run", "/judge"):
    for at, folders, files in os.walk(folder):
        looked += 1
        # What is read-only was there before any submission: Python itself may be installed below /tmp.
        if at.startswith("/tmp/") and os.statvfs(at).f_flag & os.ST_RDONLY:
            folders.clear()
            continue
        for name in files:
            if name not in ("socket",) and not at.startswith(os.path.expanduser("~/work")):
                print("STOLEN", os.path.join(at, name))
libc = ctypes.CDLL(None)
for number in range(200):
    if libc.shmctl(number, 2, ctypes.create_string_buffer(512)) == 0 or libc.msgctl(number, 2, ctypes.create_string_buffer(512)) == 0:
        print("STOLEN shared memory or a queue", number)
if libc.shmget(0x0A77AC4, 4096, 0o600) >= 0:
    print("STOLEN the shared memory of another attack")


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if looked > 3 else looked)
