# tries: open more connections to the judge than it can hold, and keep them
# only here: it is about this project's sockets, zygote or judge

# %%
# exercise: gaussian_kl
import os
import socket
import threading
import time

held = []


def knock():
    ending = time.monotonic() + 3
    while time.monotonic() < ending:
        line = socket.socket(socket.AF_UNIX)
        line.setblocking(False)
        try:
            line.connect(os.environ["FIXMELAB_JUDGE"])
            held.append(line)
        except OSError:
            time.sleep(0.02)
        if len(held) > 300:
            held.pop(0).close()


threading.Thread(target=knock, daemon=True).start()


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


# %%
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    return 2 * theta + 2 * eps**2


print("reached" if held else "nobody listens")
