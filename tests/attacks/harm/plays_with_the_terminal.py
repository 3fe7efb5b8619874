# tries: type into the grader's terminal, change it, or take all pseudo-terminals
# only here: what it finds depends on the machine that grades, not on the grader

# %%
# exercise: gaussian_kl
import fcntl
import os
import termios

taken, refused = [], 0
for path in ("/dev/tty", "/dev/console", "/dev/pts/0", "/dev/tty0", "/dev/ttyS0"):
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(descriptor, termios.TIOCSTI, b"#")
        print("STOLEN", path)
    except OSError:
        refused += 1
for descriptor in (0, 1, 2):
    try:
        fcntl.ioctl(descriptor, termios.TIOCSTI, b"#")
        print("STOLEN descriptor", descriptor)
    except OSError:
        refused += 1
try:
    while len(taken) < 2000:
        taken.append(os.openpty())
except OSError:
    pass
if len(taken) > 1000:
    print("STOLEN", len(taken), "terminals")


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if refused else "nothing was refused")
