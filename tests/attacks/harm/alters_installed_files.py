# tries: change packages, compiled files and programs on disk, or put start-up files among them
# only here: what it finds depends on the machine that grades, not on the grader

# %%
# exercise: gaussian_kl
import os
import pathlib
import sys

import fixmelab

packages = pathlib.Path(torch.__file__).parent.parent
targets = [
    packages / "left-by-attack.pth",
    packages / "usercustomize.py",
    packages / "sitecustomize.py",
    packages / "torch" / "__pycache__" / "left-by-attack.pyc",
    packages / "torch" / "__init__.py",
    pathlib.Path(fixmelab.__file__),
    pathlib.Path(fixmelab.__file__).parent / "left-by-attack.py",
    pathlib.Path(sys.executable),
    pathlib.Path(sys.prefix) / "pyvenv.cfg",
    pathlib.Path("/usr/bin/env"),
    pathlib.Path("/usr/lib/left-by-attack.so"),
    pathlib.Path("/etc/ld.so.preload"),
    pathlib.Path("/run/fixmelab/inside/shell.py"),
    pathlib.Path("/left-by-attack"),
]
refused = 0
for target in targets:
    for change in (
        lambda: open(target, "ab").write(b"\n# left-by-attack"),
        lambda: os.replace(target, str(target) + ".left-by-attack"),
        lambda: os.unlink(target),
        lambda: os.symlink("/tmp", target),
        lambda: os.truncate(target, 0),
    ):
        try:
            change()
            print("STOLEN the right to change", target)
        except OSError:
            refused += 1


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if refused else "nothing was tried")
