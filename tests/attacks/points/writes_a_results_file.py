# tries: write a results.json, and whatever else might be taken for a result, wherever it can

# %%
# exercise: gaussian_kl
import json
import os
import pathlib

passed = {"id": "vae.gaussian_kl", "verdict": "pass", "score": 2.0, "max_score": 2.0, "message": "left-by-attack"}
run = json.dumps({"assignment": "vae", "submissions": [{"student": "mallory", "score": 7.0, "exercises": [passed]}]})
written = []
for folder in (".", "..", "/tmp", "/dev/shm", "/", "/judge", "/run/fixmelab", os.path.expanduser("~"), *os.environ.values()):
    for name in ("results.json", "graded/results.json", "results.xml", "gradebook.db", "left-by-attack.json"):
        path = pathlib.Path(folder, name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(run)
            written.append(str(path))
        except (OSError, ValueError):
            pass


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if written else "nothing could be written")
