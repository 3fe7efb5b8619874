# tries: go on at the end of the process, by atexit, finalizers, threads that are no daemons, and handlers of SIGTERM

# %%
# exercise: gaussian_kl
import atexit
import ctypes
import signal
import threading
import time
import weakref

ctypes.CDLL(None).prctl(15, b"left-by-attack", 0, 0, 0)


class Kept:
    pass


def stay(*arguments):
    while True:
        try:
            time.sleep(0.1)
        except BaseException:
            pass


kept = Kept()
weakref.finalize(kept, stay)
atexit.register(stay)
signal.signal(signal.SIGTERM, stay)
signal.signal(signal.SIGHUP, stay)
threading.Thread(target=stay, daemon=False).start()


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached")
