# tries: reach another submission, or a service of this machine, through Unix sockets without a file
# only here: what it finds depends on the machine that grades, not on the grader

# %%
# exercise: gaussian_kl
import socket

server = socket.socket(socket.AF_UNIX)
server.bind("\0left-by-attack")
server.listen()
reached = 0
for name in ("\0left-by-attack-2", "\0/tmp/.X11-unix/X0", "\0/org/freedesktop/systemd1", "\0/com/ubuntu/upstart", "\0dbus", "\0snapd"):
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(name)
            print("STOLEN", name[1:])
        except OSError:
            reached += 1


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if reached == 6 else reached)
