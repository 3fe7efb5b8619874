# tries: remove, rename, cover or replace the judge's socket, and listen in its place
# only here: it is about this project's sockets, zygote or judge

# %%
# exercise: gaussian_kl
import os
import socket

judge = os.environ["FIXMELAB_JUDGE"]
refused = 0
for change in (
    lambda: os.rename(judge, judge + ".left-by-attack"),
    lambda: os.unlink(judge),
    lambda: os.rename(os.path.dirname(judge), "/tmp/judge"),
    lambda: os.symlink("/tmp", judge + "2"),
    lambda: os.chmod(judge, 0),
    lambda: socket.socket(socket.AF_UNIX).bind(judge),
    lambda: socket.socket(socket.AF_UNIX).bind(os.path.join(os.path.dirname(judge), "left-by-attack")),
    lambda: open(judge, "wb"),
    lambda: os.link(judge, "/tmp/judge"),
):
    try:
        change()
        print("STOLEN the judge's socket")
    except OSError:
        refused += 1


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if refused == 9 else refused)
