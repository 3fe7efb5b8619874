"""The benchmark of the GCN notebook measures each of its rows, and says in one line what it cannot."""

import subprocess
import sys

import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from autograder import course
from fixmelab import data as datasets


@pytest.fixture(scope="module")
def benchmark(imported):
    return imported("gcn"), imported("samplers")


@pytest.fixture
def graph(benchmark, tmp_path):
    path = str(tmp_path / "graph.pt")
    assert benchmark[1].random(path, 200) == {"nodes": 200, "edges": 2000, "train": pytest.approx(100, abs=10)}
    return path


@pytest.mark.parametrize("name", ["uniform", "means first", "learned", "full batch", "geometric"])
def test_each_way_to_train_is_measured(benchmark, graph, name):
    gcn, samplers = benchmark
    if name == "geometric" and not gcn.has_geometric():
        pytest.skip("PyTorch-Geometric or its sampler is not installed")
    found = samplers.training(name, graph, [4, 2], 32, 1)
    assert found["seconds"] > 0
    assert found["memory"] >= 0


def test_a_full_batch_is_the_layer_of_the_notebook(benchmark, graph):
    _, samplers = benchmark
    data = samplers._load(graph)
    weight = torch.randn(128, 3)
    layer = samplers.reference.gcn_layer(data.features, data.graph.adjacency(), weight, lambda value: value)
    assert torch.allclose(samplers.means(data.graph) @ (data.features @ weight), layer, atol=1e-5)


def test_means_before_the_weights_train_the_same_network(benchmark, graph, monkeypatch):
    _, samplers = benchmark
    data, descend, losses = samplers._load(graph), samplers._descend, []
    monkeypatch.setattr(samplers, "_descend", lambda loss, by: (losses.append(loss.item()), descend(loss, by)))
    for name in ("uniform", "means first"):
        torch.manual_seed(0)
        step = samplers.STEPS[name](data, [4, 2])
        for _ in range(5):
            step(data.train)
    assert losses[5:] == pytest.approx(losses[:5], rel=1e-4)
    assert len(set(losses[:5])) == 5


def test_a_step_counts_the_edges_that_it_draws(benchmark, graph):
    found = benchmark[1].steps("uniform", graph, [3, 2], 16, 2)
    assert 16 * 3 < found["drawn"] <= 16 * 3 + 16 * 3 * 2
    assert found["nanoseconds"] > 0


def test_cora_that_is_nowhere_is_left_out(benchmark, monkeypatch, tmp_path):
    def nowhere(*_, **__):
        raise datasets.DownloadError("ind.cora.x could not be downloaded (offline?)", "put it there")

    monkeypatch.setattr(datasets, "cora", nowhere)
    found = benchmark[1].cora(str(tmp_path / "graph.pt"), None)
    assert found == {"missing": "ind.cora.x could not be downloaded (offline?)"}


def test_the_tables_of_a_small_run(benchmark, monkeypatch, tmp_path):
    """All of it, but for the processes."""
    gcn, samplers = benchmark

    def answer(what, threads, **request):
        return {"missing": "offline"} if what == "cora" else samplers.REQUESTS[what](**request)

    monkeypatch.setattr(gcn, "answer", answer)
    monkeypatch.setattr(gcn, "has_geometric", lambda: False)
    monkeypatch.setattr(gcn.console, "width", 120)
    app, picture = Typer(), tmp_path / "curve.png"
    app.command()(gcn.main)
    options = ["--largest", "300", "--epochs", "1", "--steps", "1", "--picture", str(picture)]
    with gcn.console.capture() as printed:
        done = CliRunner().invoke(app, options, catch_exceptions=False)
    assert done.exit_code == 0
    lines = printed.get().splitlines()
    assert "Cora is left out: offline" in lines
    assert [line for line in lines if line.startswith("PyTorch-Geometric is left out")]
    assert sum("learned sampler" in line for line in lines) == 1
    rows = [[cell.strip() for cell in line.split("│")] for line in lines]
    assert [row[1:3] for row in rows if row[1:2] == ["300"]] == [["300", "3,000"]]
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--cora", "/nowhere"], "FileNotFoundError: /nowhere/ind.cora.x: no such file"),
        (["--picture", "/nowhere/curve.png"], "error: --picture: there is no folder /nowhere"),
    ],
)
def test_wrong_input_is_one_line(options, line):
    command = [sys.executable, str(course.ROOT / "benchmarks" / "gcn.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.strip().endswith(line)
    assert len(done.stdout.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
