"""`neuralgauge certify`: how far a saved network is from the global optimum on a table."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from ..certify import certify as certify_network
from ..errors import InvalidInputError
from ..estimators.canonical import canonical_rows, checked_weights
from ..interchange import SavedModel, load_model
from ..problem import TrainingProblem
from .columns import labels, matrix, numbers
from .options import DONE, Data, Drop, Json, Model, TimeLimit, plain_errors
from .report import GapBar, certificate_fields, certificate_lines, print_json, print_lines
from .tables import Table, read_table


@plain_errors
def certify(
    model: Model,
    data: Data,
    target: Annotated[str | None, typer.Option(metavar="NAME", help="By default the target of the model.")] = None,
    gap: Annotated[float, typer.Option(help="How close to the optimum the lower bound is to come.")] = 1e-4,
    time_limit: TimeLimit = None,
    prove: Annotated[
        bool | None, typer.Option("--prove/--no-prove", help="Price exactly; by default up to rank 5.")
    ] = None,
    drop: Drop = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Nothing on stderr but errors.")] = False,
) -> int:
    """Bound the distance of MODEL from the best network of any width on DATA, with the model's loss, beta and scaling.

    On other data than it was trained on, the network is usually far from optimal; that is no defect.
    """
    saved = load_model(model)
    problem = problem_of(saved, read_table(data).without(drop or ()), target)
    start = time.perf_counter()
    with GapBar(gap, time_limit, enabled=not quiet) as bar:
        certificate = certify_network(saved.network, problem, time_limit=time_limit, prove=prove, gap=gap, progress=bar)
    seconds = time.perf_counter() - start
    if as_json:
        fields = {
            **certificate_fields(certificate),
            "n_neurons": saved.network.n_neurons,
            "status": "certified",
            "seconds": seconds,
            "loss": saved.loss,
            "beta": saved.beta,
            "n_rows": problem.n,
        }
        print_json(fields)
        return DONE
    lines = [
        ("model", f"{saved.task} of {saved.target_name!r}, {saved.loss} loss, beta {saved.beta:.8g}"),
        ("neurons", str(saved.network.n_neurons)),
        *certificate_lines(certificate),
        ("time", f"{seconds:.2f} s"),
    ]
    print_lines(lines)
    return DONE


def problem_of(saved: SavedModel, table: Table, target: str | None) -> TrainingProblem:
    """The training problem of the model with the rows of the table."""
    name = target or saved.target_name
    if name is None:
        raise InvalidInputError("The model file names no target column; give `--target`.")
    table.require(name)
    saved.check_columns([column for column in table.columns if column != name])
    scaling = saved.standardization
    if saved.task == "regression":
        y = scaling.target(numbers(table, name))
    else:
        y = saved.encode(labels(table, name, as_text=isinstance(saved.classes[0], str)))
    X = scaling.features(matrix(table, saved.feature_names))
    rows, targets, weight = canonical_rows(X, y, checked_weights(None, len(y)))
    return TrainingProblem(
        rows, targets, beta=saved.beta, loss=saved.loss, bias=saved.network.bias, sample_weight=weight
    )
