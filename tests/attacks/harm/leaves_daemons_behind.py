# tries: leave processes behind that belong to no session, group, terminal or parent of the kernel's

# %%
# exercise: gaussian_kl
import ctypes
import os
import signal
import subprocess
import time

libc = ctypes.CDLL(None)
read, write = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        libc.prctl(15, b"left-by-attack", 0, 0, 0)
        libc.prctl(1, 0, 0, 0, 0)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.write(write, b"!")
        os.closerange(0, 1000)
        time.sleep(600)
    os._exit(0)
os.wait()
subprocess.Popen(["sh", "-c", "setsid sleep 600 left-by-attack 2>/dev/null || exec sleep 600"], start_new_session=True)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if os.read(read, 1) == b"!" else "no daemon")
