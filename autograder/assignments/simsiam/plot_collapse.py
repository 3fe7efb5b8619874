"""Eigenvalues over time in 2 × 2 panels, stop-gradient yes or no by predictor yes or no, and where the points end.

With made-up trajectories of four kinds the arrays show which was asked for where. Panels come out exchanged or all the
same, the cloud is that of the start or of the untrained W, the weight decay is not handed on, or panels stay empty.
"""

import numpy
import torch

from autograder.assignments.simsiam import reference, trials
from autograder.judge.draw import Draw
from autograder.judge.drawing import figure_when_shown, new_figure
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.pictures import expect_drawn_panels
from autograder.judge.student import Remote
from fixmelab.judged.flows import Trajectories

CASES = ((True, True), (True, False)), ((False, True), (False, False))


@exercise("simsiam.plot_collapse")
def plot_collapse(student: Remote, draw: Draw) -> None:
    count, n_2, n_1, T = 7, 2, 3, 5
    for weight_decay in (0.0, float(draw.uniform(0.1, 0.5, 1)[0])):
        eigenvalues = draw.positive(2, 2, T, n_2, dtype=torch.float64).sort(dim=-1).values
        encoders = draw.normal(2, 2, T, n_2, n_1, dtype=torch.float64)
        given = list(trials.start(draw, n_2, n_1))  # by which a simulation that is not asked for comes to an end, too
        times = torch.cat([torch.zeros(1), draw.positive(T - 1)]).double().cumsum(dim=0)
        points = draw.normal(count, n_1, dtype=torch.float64)
        toy = Trajectories(eigenvalues, encoders)
        options = {"weight_decay": weight_decay} if weight_decay else {}
        found = expect(student(toy, *given, times, points, **options), "what plot_collapse returns").items(3)
        asked = bool(toy.asked)
        expect(toy.asked).holds(asked, "The simulate that is handed in is never called.", "another_simulate")
        shown = _array(found[1], "the eigenvalues", 2, 2, T, n_2)
        expect(shown, "the eigenvalues").close(eigenvalues, rtol=1e-4)
        clouds = _array(found[2], "the clouds", 2, 2, count, n_2)
        expect(clouds, "the clouds").close(torch.einsum("na,rcia->rcni", points, encoders[:, :, -1]), rtol=1e-4)
        _expect_asked(toy, [*given, times], weight_decay)
    expect_drawn_panels(found[0], 4, "one_case_in_all_panels_of_the_figure")


def _array(found: object, label: str, *shape: int) -> torch.Tensor:
    found = torch.from_numpy(found) if isinstance(found, numpy.ndarray) else found
    value: torch.Tensor = expect(found, label).shape(*shape).value.double()
    return value


def _expect_asked(toy: Trajectories, given: list[torch.Tensor], weight_decay: float) -> None:
    """All cases were asked for what was given, and with the weight decay."""
    decays, rates = [asked[2] for asked in toy.asked], [asked[3] for asked in toy.asked]
    is_handed_on = all(abs(decay - weight_decay) < 1e-6 for decay in decays)
    expect(decays).holds(is_handed_on, "weight_decay is not handed on to simulate.", "weight_decay_not_handed_on")
    expect(rates).holds(rates == [1.0] * len(rates), "The predictor's rate is not asked for here: leave it as it is.")
    same = all(torch.equal(*pair) for call in toy.given for pair in zip(call, given, strict=True))
    expect(toy.given).holds(same, "All cases must start from the same W and W_p, with the same X, X' and times.")


def _drawn(eigenvalues, clouds, times):
    """The figure of the arrays (2, 2, T, n_2) and (2, 2, N, n_2)."""

    def draw(figure):
        axes = figure.subplots(2, 4)
        for row in range(2):
            for column in range(2):
                axes[row, 2 * column].plot(times, eigenvalues[row, column])
                axes[row, 2 * column + 1].plot(*clouds[row, column].T[:2], ".")

    return figure_when_shown(draw, figsize=(10, 5))


def _found(simulate, W, W_p, X, X_prime, times, points, weight_decay=0.0, cases=CASES, at=-1):
    """Eigenvalues and clouds of the cases."""
    runs = [
        [simulate(W, W_p, X, X_prime, times, stop, predictor, weight_decay=weight_decay) for stop, predictor in row]
        for row in cases
    ]
    eigenvalues = torch.stack([torch.stack([run[1] for run in row]) for row in runs])
    return eigenvalues, torch.stack([torch.stack([points @ run[2][at].T for run in row]) for row in runs])


def _answer(*given, weight_decay=0.0, **other):
    eigenvalues, clouds = _found(*given, weight_decay, **other)
    return _drawn(eigenvalues, clouds, given[5]), eigenvalues, clouds


@mistake("Rows and columns are exchanged: stop-gradient chooses the row, the predictor the column.")
def rows_and_columns_exchanged(*given, weight_decay=0.0):
    return _answer(*given, weight_decay=weight_decay, cases=tuple(zip(*CASES, strict=True)))


@mistake("The rows are in the other order: the first is with stop-gradient.")
def without_stop_gradient_first(*given, weight_decay=0.0):
    return _answer(*given, weight_decay=weight_decay, cases=CASES[::-1])


@mistake("The columns are in the other order: the first is with predictor.")
def without_predictor_first(*given, weight_decay=0.0):
    return _answer(*given, weight_decay=weight_decay, cases=tuple(row[::-1] for row in CASES))


@mistake("Rows and columns both begin with no: the first panel has stop-gradient and predictor.")
def begins_with_neither(*given, weight_decay=0.0):
    return _answer(*given, weight_decay=weight_decay, cases=tuple(row[::-1] for row in CASES[::-1]))


@mistake("All panels show the same case: hand stop_gradient and predictor on to simulate.")
def the_same_case_in_all_panels(*given, weight_decay=0.0):
    return _answer(*given, weight_decay=weight_decay, cases=(((True, True),) * 2,) * 2)


@mistake("The predictor is there in every panel: hand predictor on to simulate.")
def predictor_in_all_panels(*given, weight_decay=0.0):
    return _answer(*given, weight_decay=weight_decay, cases=(((True, True),) * 2, ((False, True),) * 2))


@mistake("The gradient is stopped in every panel: hand stop_gradient on to simulate.")
def stopped_in_all_panels(*given, weight_decay=0.0):
    return _answer(*given, weight_decay=weight_decay, cases=(CASES[0], CASES[0]))


@mistake("The clouds are those of the first time; the last one shows what is left.")
def clouds_of_the_start(*given, weight_decay=0.0):
    return _answer(*given, weight_decay=weight_decay, at=0)


@mistake("The clouds are made with the W that was handed in, before any time has passed.")
def clouds_of_the_untrained_encoder(*given, weight_decay=0.0):
    figure, eigenvalues, _ = _answer(*given, weight_decay=weight_decay)
    clouds = (given[6] @ given[1].T).expand(2, 2, -1, -1).clone()
    return figure, eigenvalues, clouds


@mistake("weight_decay is not handed on to simulate.")
def weight_decay_not_handed_on(*given, weight_decay=0.0):
    return _answer(*given)


@mistake("The simulate that is handed in is never called; use the argument, not the function of the notebook.")
def another_simulate(simulate, *given, weight_decay=0.0):
    return _answer(
        lambda *start, weight_decay: reference.simulate(
            *start[:5], stop_gradient=start[5], predictor=start[6], weight_decay=weight_decay
        ),
        *given,
        weight_decay=weight_decay,
    )


@mistake("These are the norms, the first thing that simulate returns; the eigenvalues are the second.")
def norms_for_eigenvalues(simulate, *given, weight_decay=0.0):
    def shifted(*start, **options):
        norms, _, encoders = simulate(*start, **options)
        return norms, norms, encoders

    return _answer(shifted, *given, weight_decay=weight_decay)


@mistake("The figure shows one case again and again: each panel draws its own.")
def one_case_in_all_panels_of_the_figure(*given, weight_decay=0.0):
    eigenvalues, clouds = _found(*given, weight_decay)
    shown = [part[:1, :1].expand_as(part) for part in (eigenvalues, clouds)]
    return _drawn(*shown, given[5]), eigenvalues, clouds


@mistake("The clouds are returned first; they come third, after the eigenvalues.")
def clouds_first(*given, weight_decay=0.0):
    figure, eigenvalues, clouds = _answer(*given, weight_decay=weight_decay)
    return figure, clouds, eigenvalues


@mistake("The arrays come first; the figure does.")
def figure_last(*given, weight_decay=0.0):
    figure, eigenvalues, clouds = _answer(*given, weight_decay=weight_decay)
    return eigenvalues, clouds, figure


@mistake("The cases are in one row, (4, …); the arrays are (2, 2, …), as the panels are.")
def cases_in_a_row(*given, weight_decay=0.0):
    figure, eigenvalues, clouds = _answer(*given, weight_decay=weight_decay)
    return figure, eigenvalues.flatten(0, 1), clouds.flatten(0, 1)


@mistake("The eigenvalues are those of the last time alone; all times are drawn.")
def eigenvalues_of_the_end(*given, weight_decay=0.0):
    figure, eigenvalues, clouds = _answer(*given, weight_decay=weight_decay)
    return figure, eigenvalues[:, :, -1], clouds


@mistake("The clouds are transposed: a row for each point, (N, n_2).")
def clouds_transposed(*given, weight_decay=0.0):
    figure, eigenvalues, clouds = _answer(*given, weight_decay=weight_decay)
    return figure, eigenvalues, clouds.mT


@mistake("The figure is empty, or some of its panels are: each of the four cases is drawn.")
def empty_figure(*given, weight_decay=0.0):
    eigenvalues, clouds = _found(*given, weight_decay)
    return new_figure(), eigenvalues, clouds


@equivalent
def with_clouds_beside_the_curves(*given, weight_decay=0.0):
    return _answer(*given, weight_decay=weight_decay)


@equivalent
def with_four_panels_by_pyplot(simulate, W, W_p, X, X_prime, times, points, weight_decay=0.0):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2)
    eigenvalues, clouds = numpy.zeros((2, 2, len(times), len(W))), numpy.zeros((2, 2, len(points), len(W)))
    for row, stop_gradient in enumerate((True, False)):
        for column, predictor in enumerate((True, False)):
            options = {"stop_gradient": stop_gradient, "predictor": predictor, "weight_decay": weight_decay}
            _, found, encoders = simulate(W, W_p, X, X_prime, times, **options)
            eigenvalues[row, column] = found.numpy()
            clouds[row, column] = (encoders[-1] @ points.T).T.numpy()
            axes[row, column].plot(times.numpy(), found.numpy())
            axes[row, column].inset_axes((0.6, 0.6, 0.35, 0.35)).scatter(*clouds[row, column].T[:2], s=2)
    plt.close(figure)
    return figure, eigenvalues, clouds


@equivalent
def with_pictures_in_the_panels(*given, weight_decay=0.0):
    eigenvalues, clouds = _found(*given, weight_decay)
    figure = new_figure()
    for panel, values, cloud in zip(
        figure.subplots(4, 2), eigenvalues.flatten(0, 1), clouds.flatten(0, 1), strict=True
    ):
        panel[0].imshow(values.T, aspect="auto", origin="lower", extent=(0, float(given[5][-1]), 0, values.shape[1]))
        panel[1].hist2d(*cloud.T[:2].numpy(), bins=10)
    return figure, eigenvalues, clouds


HARMLESS = {
    "graph": "A figure is looked at, and nothing is differentiated through it.",
    "plt.subplots(2, 4, figsize=(13, 5.6), layout='constrained')": "Size and arrangement are free, and panels may stay empty.",
    "len(W) → len(W_p)": "Both are n_2.",
    "len(W) → len(W_p) (2)": "Both are n_2.",
    "torch.zeros(2, 2, len(times), len(W), dtype=W.dtype) → torch.zeros(2, 2, len(times), len(W))": "The arrays of a figure may come in single precision.",
    "torch.zeros(2, 2, len(times), len(W), dtype=W.dtype) → torch.zeros(2, 2, len(times), len(W), dtype=W_p.dtype)": "All arguments have one dtype.",
    "torch.zeros(2, 2, len(times), len(W), dtype=W.dtype) → torch.zeros(2, 2, len(times), len(W), dtype=X.dtype)": "All arguments have one dtype.",
    "torch.zeros(2, 2, len(times), len(W), dtype=W.dtype) → torch.zeros(2, 2, len(times), len(W), dtype=X_prime.dtype)": "All arguments have one dtype.",
    "torch.zeros(2, 2, len(times), len(W), dtype=W.dtype) → torch.zeros(2, 2, len(times), len(W), dtype=times.dtype)": "All arguments have one dtype.",
    "torch.zeros(2, 2, len(times), len(W), dtype=W.dtype) → torch.zeros(2, 2, len(times), len(W), dtype=points.dtype)": "All arguments have one dtype.",
    "torch.zeros(2, 2, len(points), len(W), dtype=W.dtype) → torch.zeros(2, 2, len(points), len(W))": "The arrays of a figure may come in single precision.",
    "torch.zeros(2, 2, len(points), len(W), dtype=W.dtype) → torch.zeros(2, 2, len(points), len(W), dtype=W_p.dtype)": "All arguments have one dtype.",
    "torch.zeros(2, 2, len(points), len(W), dtype=W.dtype) → torch.zeros(2, 2, len(points), len(W), dtype=X.dtype)": "All arguments have one dtype.",
    "torch.zeros(2, 2, len(points), len(W), dtype=W.dtype) → torch.zeros(2, 2, len(points), len(W), dtype=X_prime.dtype)": "All arguments have one dtype.",
    "torch.zeros(2, 2, len(points), len(W), dtype=W.dtype) → torch.zeros(2, 2, len(points), len(W), dtype=times.dtype)": "All arguments have one dtype.",
    "torch.zeros(2, 2, len(points), len(W), dtype=W.dtype) → torch.zeros(2, 2, len(points), len(W), dtype=points.dtype)": "All arguments have one dtype.",
    "for … in enumerate((True, False)) → list(enumerate((True, False)))[::-1]": "The order in which the worlds are run is free.",
    "for … in enumerate((True, False)) → list(enumerate((True, False)))[::-1] (2)": "The order in which the worlds are run is free.",
    "curves, cloud = (axes[row, 2 * column], axes[row, 2 * column + 1]) → curves, cloud = (axes[row, 2 * column + 1], axes[row, 2 * column])": "How it is drawn is free: each world has a panel with something of its own in it.",
    "2 * column": "How it is drawn is free: each world has a panel with something of its own in it.",
    "2 * column + 1": "How it is drawn is free: each world has a panel with something of its own in it.",
    "curves.plot(times, found)": "How it is drawn is free: each world has a panel with something of its own in it.",
    "curves.set(xlabel='t', ylabel='eigenvalues of W Wᵀ', ylim=(-0.05, 2))": "Labels, limits and titles are free.",
    "curves.set_title(f\"stop-gradient {('yes' if stop else 'no')}, predictor {('yes' if predicts else 'no')}\")": "Labels, limits and titles are free.",
    "stop → not stop": "Labels, limits and titles are free.",
    "'yes' if stop else 'no'": "Labels, limits and titles are free.",
    "predicts → not predicts": "Labels, limits and titles are free.",
    "'yes' if predicts else 'no'": "Labels, limits and titles are free.",
    "cloud.scatter(*clouds[row, column].T[:2], s=3)": "How it is drawn is free: each world has a panel with something of its own in it.",
    "clouds[row, column].T[:2]": "How it is drawn is free: each world has a panel with something of its own in it.",
    "clouds[row, column] → clouds[column, row] (2)": "How it is drawn is free: each world has a panel with something of its own in it.",
    "cloud.set(xlim=(-3, 3), ylim=(-3, 3), aspect='equal', title='codes in the end')": "Labels, limits and titles are free.",
    "plt.close(figure) → pass": "Otherwise Jupyter shows the figure twice, and that is all.",
}
