"""What docs/cluster.md shows is checked as far as it can be without a cluster."""

import re

import pytest
import yaml

from autograder import course

PAGE = (course.ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")


def blocks(kind: str, holding: str) -> str:
    (found,) = (text for text in re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL) if holding in text)
    return found


def test_the_slurm_job_starts_one_worker_with_a_thread_for_each_core():
    pytest.importorskip("dask_jobqueue")
    shown = blocks("python", "SLURMCluster")
    made = re.search(r"SLURMCluster\(.*?\n    \)", shown, re.DOTALL)[0]
    # Without certificates, which this test has not; everything else is as shown.
    made = made.replace('protocol="tls://"', 'interface="lo"').replace("security=Security(),", "")
    names: dict = {}
    exec(f"from dask_jobqueue import SLURMCluster\nfrom distributed import Security\ncluster = {made}", names)
    with names["cluster"] as cluster:
        script = cluster.job_script()
    assert "#SBATCH --cpus-per-task=16\n" in script and "#SBATCH -t 04:00:00\n" in script
    (command,) = (line for line in script.splitlines() if "dask_worker" in line)
    assert " --nthreads 16 " in command and command.rstrip().count("--memory-limit 0") == 1
    assert "--nworkers" not in command


def test_the_pods_of_workers_get_what_the_sandbox_needs_and_no_privileges():
    found = {item["metadata"]["name"]: item for item in yaml.safe_load_all(blocks("yaml", "kind: Deployment"))}
    assert found.keys() == {"grading-scheduler", "grading-worker"}, "the service and the deployment share a name"
    pod = found["grading-worker"]["spec"]["template"]["spec"]
    (worker,) = pod["containers"]
    unconfined = {"type": "Unconfined"}
    assert pod["hostUsers"] is False
    assert worker["securityContext"] == {
        "procMount": "Unmasked",
        "seccompProfile": unconfined,
        "appArmorProfile": unconfined,
    }
    assert worker["command"][:3] == ["dask", "worker", "tls://grading-scheduler:8786"]


def test_each_manifest_selects_what_it_makes():
    documents = list(yaml.safe_load_all(blocks("yaml", "kind: Deployment")))
    made = {}
    for item in documents:
        if item["kind"] == "Deployment":
            labels = item["spec"]["template"]["metadata"]["labels"]
            assert item["spec"]["selector"]["matchLabels"] == labels
            made[item["metadata"]["name"]] = labels
    (service,) = (item for item in documents if item["kind"] == "Service")
    assert service["spec"]["selector"] == made["grading-scheduler"]
    assert service["spec"]["ports"] == [{"port": 8786}]


def test_the_page_shows_dasks_names_of_its_settings():
    import dask.config

    shown = yaml.safe_load(blocks("yaml", "ca-file"))
    import distributed  # noqa: F401  (registers its settings)

    known = dask.config.get("distributed.comm")
    tls = shown["distributed"]["comm"]["tls"]
    assert shown["distributed"]["comm"].keys() <= known.keys() and tls.keys() <= known["tls"].keys()
    assert all(part.keys() <= known["tls"][name].keys() for name, part in tls.items() if isinstance(part, dict))
