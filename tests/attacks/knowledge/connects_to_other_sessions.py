# tries: find and use the judges' sockets of other submissions, and the zygote's own
# only here: it is about this project's sockets, zygote or judge

# %%
# exercise: gaussian_kl
import glob
import os
import socket

judge = os.environ["FIXMELAB_JUDGE"]
paths = set(glob.glob("/run/**", recursive=True)) | set(glob.glob("/tmp/**", recursive=True)) | set(glob.glob("/judge/**", recursive=True))
paths |= set(glob.glob(os.path.join(os.path.dirname(judge), "..", "**"), recursive=True)) if judge.count("/") > 2 else set()
paths |= {"/run/fixmelab/zygote", "/run/fixmelab/sessions", "/judge/../zygote", "/var/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd/private"}
for path in sorted(paths):
    if os.path.realpath(path) == os.path.realpath(judge):
        continue
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(path)
            print("STOLEN", path)
    except OSError:
        pass
for name in os.listdir(os.path.dirname(judge)):
    if name != os.path.basename(judge):
        print("STOLEN", name)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if os.path.exists(judge) else "there is no judge")
