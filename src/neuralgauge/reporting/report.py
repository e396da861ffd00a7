"""`report`: a page about a network and its data."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from ..certificate import Certificate
from ..errors import MissingDependencyError, wrong_kind
from ..interchange import SavedModel
from ..interchange.atomic_write import check_output, write_atomically
from ..training.path import Path
from . import facts, outcomes, pictures
from .data import COLUMNS_LISTED, column_rows
from .effects import MOST_NEURONS, ROWS_AVERAGED, neurons
from .scales import percent, shown
from .subject import Subject


@dataclass(frozen=True)
class Report:
    """A page of HTML that needs nothing else; notebooks show it.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> model = ng.ReLURegressor(beta=0.1).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> page = ng.report(model, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> page.html[:15]
    '<!doctype html>'
    """

    html: str = field(repr=False)

    def save(self, output: str | FilePath, *, force: bool = False) -> None:
        """Write the page, whole or not at all; an existing file is replaced by `force` only."""
        write_atomically(output, self.html.encode("utf-8"), force=force)

    def _repr_html_(self) -> str:
        page = html.escape(self.html, quote=True)
        return f'<iframe title="report" srcdoc="{page}" style="width: 100%; height: 45rem; border: 0"></iframe>'


def report(
    model: Any,
    X: Any,
    y: Any,
    *,
    output: str | FilePath | None = None,
    force: bool = False,
    path: Path | None = None,
    certificate: Certificate | None = None,
    feature_names: Sequence[str] | None = None,
    command: str | None = None,
) -> Report:
    r"""Make a page about a network: data, certificate, training, neurons, effects of the columns, predictions.

    Parameters
    ----------
    model : ReLURegressor, ReLUClassifier, their cross-validated forms, a Pipeline that ends in one, or SavedModel
        Estimators must be fitted. Of a pipeline the columns are shown as the network gets them.
    X : array or table of shape (n, d)
        Rows to look at it on, in the units of `fit`: those it was trained on, or better others.
    y : array of shape (n,) or (n, c)
        Their targets or labels; the name of a series becomes the title.
    output : str or Path, optional
        File to write, by custom ending in ``.html``: whole or not at all.
    force : bool
        Whether an existing file may be replaced.
    path : Path, optional
        Of `relu_path`, to show neurons and errors along the penalties.
    certificate : Certificate
        Of the network on these rows, as `certify` computes it, in the place of that of the training.
    feature_names : sequence of str, optional
        Names of the columns, by default those of the table that the model was trained on.
    command : str, optional
        What to run for the same report, by default the estimator's own parameters.

    Returns
    -------
    Report
        With the page in `html`, one file without scripts that loads nothing: styles and pictures are in it, and a
        content security policy forbids the rest. Equal arguments give equal pages, but for times in the history.

    Raises
    ------
    InvalidInputError, MissingDependencyError
        For other models, data that does not fit, or a file that cannot be written; without Jinja.

    Notes
    -----
    What a model does not have is left out: a file has no history, only cross-validation has scores of penalties.
    A neuron's weights are for one standard deviation of a column; columns are ordered by the mean of |slope| times the
    deviation; partial dependence [1]_ is a mean over at most 1,000 rows. Cost: O(n d m), and 250 predictions of these.

    References
    ----------
    .. [1] J. H. Friedman. Greedy function approximation. Annals of Statistics 29, 2001, section 8.2.

    Examples
    --------
    >>> import tempfile, neuralgauge as ng
    >>> X, y = [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]], [0.0, 1.0, 0.0, 2.0]
    >>> model = ng.ReLURegressor(beta=0.1).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = ng.report(model, X, y, output=f"{folder}/report.html", feature_names=["size", "age"])
    >>> "<h1>" in page.html, "size" in page.html, "<script" in page.html
    (True, True, False)
    """
    if path is not None and not isinstance(path, Path):
        raise wrong_kind("path", "a Path, which `relu_path` returns", path, "path_")
    if certificate is not None and not isinstance(certificate, Certificate):
        raise wrong_kind("certificate", "a Certificate, which `certify` returns", certificate, "certificate_")
    if output is not None:
        check_output(output, force=force)
    target = None if isinstance(model, SavedModel) else _name_of(y)
    subject = Subject.of(model, X, y, feature_names, target, certificate)
    page = Report(_rendered(subject, path, command))
    if output is not None:
        page.save(output, force=force)
    return page


def _name_of(y: Any) -> str | tuple[str, ...] | None:
    """Of a series its name, of a table those of its columns."""
    columns = getattr(y, "columns", None)
    if columns is not None:
        return tuple(map(str, columns))
    name = getattr(y, "name", None)
    return str(name) if name not in (None, "") else None


def _rendered(subject: Subject, path: Path | None, command: str | None) -> str:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise MissingDependencyError(
            '`report` needs Jinja, which is not installed; `pip install "neuralgauge[report]"`.'
        ) from error
    environment = Environment(
        loader=PackageLoader(__package__, "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    predicted = outcomes.predictions(subject)
    solution = subject.solution
    return environment.get_template("report.html").render(
        subject=subject,
        columns=column_rows(subject),
        listed=COLUMNS_LISTED,
        verdict=facts.verdict(subject),
        model_facts=facts.model_facts(subject),
        versions=facts.versions(subject),
        fingerprint=facts.fingerprint(subject),
        command=command or (None if solution is None else f"{subject.model!r}.fit(X, y)"),
        training=[] if solution is None or len(solution.history) < 2 else pictures.of_training(solution),
        penalties=pictures.of_cross_validation(subject.model)
        + ([] if path is None else pictures.of_path(path, subject.saved.beta)),
        neurons=neurons(subject),
        curves=pictures.of_columns(subject),
        scores=outcomes.scores(subject, predicted),
        confusion=outcomes.confusion(subject, predicted) if subject.saved.classes else [],
        charts=pictures.of_predictions(subject, predicted),
        most_neurons=MOST_NEURONS,
        most_rows=ROWS_AVERAGED,
        percent=percent,
        shown=shown,
    )
