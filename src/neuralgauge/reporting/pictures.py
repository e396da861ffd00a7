"""The charts of a report: training, penalties, partial dependence, predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array
from ..plots._bounds import bounds_over_time, gaps, scope_of
from ..plots.training import WIDE
from ..solvers.solution import Solution
from ..training.path import Path
from .charts import SMALL, Chart
from .effects import partial_dependence
from .outcomes import reliability
from .scales import shown
from .subject import Subject

LOOKS = ("a", "b", "c", "d", "e")  # of curves, as many as the style sheet has
MOST_DOTS = 1500
BINS = 24  # of residuals


def of_training(solution: Solution[Any]) -> list[Chart]:
    """Objective and bound over the seconds of a run, and the relative gap."""
    seconds, upper, lower = bounds_over_time(solution)
    certificate = solution.certificate
    known = np.concatenate([upper, lower])
    known = known[np.isfinite(known)]
    log = bool(known.size and known.min() > 0.0 and known.max() > WIDE * known.min())
    bounds = Chart.of(
        "Objective and lower bound",
        ("seconds", "training objective"),
        np.append(seconds, 0.0),
        known,
        log=(False, log),
        description=f"The objective ends at {shown(certificate.upper)}, the bound at {shown(certificate.lower)}.",
    )
    dashed = "" if certificate.scope in ("exact", "bounded") else " dashed"
    bounds.band(seconds, lower, upper, "shade", steps=True)
    bounds.line(seconds, upper, "a line", "objective", steps=True)
    bounds.line(seconds, lower, f"b line{dashed}", f"lower bound ({scope_of(certificate)})", steps=True)
    relative = gaps(upper, lower)
    gap = Chart.of(
        "Relative gap",
        ("seconds", "(objective − bound) / objective"),
        np.append(seconds, 0.0),
        relative,
        log=(False, True),
        description=f"It ends at {shown(certificate.gap, 2)}.",
    )
    gap.line(seconds, relative, f"a line{dashed}", steps=True)
    return [bounds, gap]


def of_cross_validation(model: Any) -> list[Chart]:
    """The scores of the penalties that an estimator tried, with the one that it chose; empty for other models."""
    if not hasattr(model, "betas_"):
        return []
    betas, mean, folds = model.betas_, model.mean_scores_, model.scores_
    error = folds.std(axis=1, ddof=1) / np.sqrt(folds.shape[1]) if folds.shape[1] > 1 else np.zeros(len(mean))
    chart = Chart.of(
        "Cross-validation",
        ("beta", "score on held-out rows"),
        betas,
        np.concatenate([mean - error, mean + error]),
        log=(True, False),
        description=f"The penalty chosen is {shown(model.beta_)}.",
    )
    chart.band(betas, mean - error, mean + error, "shade", "one standard error")
    chart.line(betas, mean, "a line", "mean over the folds").dots(betas, mean, "a dots")
    return [chart.vertical(model.beta_, "mark", f"chosen, {shown(model.beta_)}")]


def of_path(path: Path, beta: float) -> list[Chart]:
    """Neurons and errors of a path, with the penalty of the model."""
    betas = path.betas
    count = np.array([solution.network.n_neurons for solution in path.solutions], dtype=float)
    neurons = Chart.of("Neurons along the path", ("beta", "neurons"), betas, np.append(count, 0.0), log=(True, False))
    neurons.line(betas, count, "a line").dots(betas, count, "a dots")
    errors = np.concatenate([path.train_error, path.validation_error])
    error = Chart.of("Errors along the path", ("beta", "error"), betas, errors, log=(True, False))
    error.line(betas, path.train_error, "a line", "training")
    error.line(betas, path.validation_error, "b line", "validation")
    for chart in (neurons, error):
        if betas.min() <= beta <= betas.max():
            chart.vertical(beta, "mark", "this network")
    return [neurons, error]


def of_columns(subject: Subject) -> list[Chart]:
    """Partial dependence, all curves on one vertical scale, so that heights compare."""
    curves = partial_dependence(subject)
    if not curves:
        return []
    c = curves[0].means.shape[1]
    units = _units(subject)
    scaled = [(curve, _scaled(subject, curve.means)) for curve in curves]
    everything = np.concatenate([means[:, : len(LOOKS)].ravel() for _, means in scaled])
    charts = []
    for curve, means in scaled:
        low, high = means[:, 0].min(), means[:, 0].max()
        about = f"Between {shown(low)} and {shown(high)}." if c == 1 else ""
        chart = Chart.of(curve.name, (curve.name, units), curve.values, everything, description=about, size=SMALL)
        for k, look in enumerate(LOOKS[:c]):
            name = subject.outputs[k] if c > 1 else ""
            chart.line(curve.values, means[:, k], f"{look} line", name)
        charts.append(chart.rug(curve.deciles))
    return charts


def _units(subject: Subject) -> str:
    saved = subject.saved
    if saved.has_probabilities:
        return f"probability of {saved.classes[1]}" if len(saved.classes) == 2 else "probability"
    if saved.classes:
        return "score"
    return "prediction" if len(subject.outputs) == 1 else "prediction, in standard deviations"


def _scaled(subject: Subject, means: Array) -> Array:
    """Several targets in standard deviations from their means, for one axis; all else as it is."""
    if subject.saved.classes or means.shape[1] == 1:
        return means
    spread = subject.y.std(axis=0)
    scaled: Array = (means - subject.y.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    return scaled


def of_predictions(subject: Subject, predicted: npt.NDArray[Any]) -> list[Chart]:
    """Predictions against truth and residuals of each target; for classes how often probabilities are right."""
    if subject.saved.classes:
        return _of_probabilities(subject)
    n, part = len(subject.rows), subject.part(MOST_DOTS)
    y, f = subject.y.reshape(n, -1), predicted.reshape(n, -1)
    charts = []
    for k, name in enumerate(subject.outputs):
        both = np.concatenate([y[part, k], f[part, k]])
        title = "Predictions against truth" if len(subject.outputs) == 1 else f"Predictions of {name}"
        about = f"{len(part)} rows; on the diagonal both agree."
        chart = Chart.of(title, ("prediction", "truth"), both, both, description=about)
        ends = [float(both.min()), float(both.max())]
        charts.append(chart.line(ends, ends, "mark", "equal").dots(f[part, k], y[part, k], "a dots many"))
        counts, edges = np.histogram(y[:, k] - f[:, k], bins=min(BINS, max(5, n // 5)))
        title = "Residuals" if len(subject.outputs) == 1 else f"Residuals of {name}"
        rest = Chart.of(title, ("truth − prediction", "rows"), edges, np.append(counts, 0.0))
        rest.y = type(rest.y)(0.0, rest.y.high, rest.y.start, rest.y.stop)
        charts.append(rest.bars(edges, counts.astype(float), "a fill").vertical(0.0, "mark"))
    return charts


def _of_probabilities(subject: Subject) -> list[Chart]:
    known = reliability(subject)
    if known is None:
        return []
    confidence, right = known
    both = np.concatenate([confidence, right, [1.0]])
    chart = Chart.of(
        "Probabilities against truth",
        ("probability of the predicted class", "share that is right"),
        both,
        both,
        description="Bins of equally many rows; below the diagonal the network is too sure.",
    )
    ends = [float(both.min()), 1.0]
    chart.line(ends, ends, "mark", "calibrated")
    return [chart.line(confidence, right, "a line").dots(confidence, right, "a dots")]
