"""`neuralgauge certify`: how far a saved network is from the global optimum on a table."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from ..certificate import Certificate
from ..errors import InvalidInputError
from ..interchange import SavedModel
from ..problems.canonical import canonical_rows, checked_weights
from ..problems.training import TrainingProblem
from ..training.certify import certify as certify_network
from ..training.one_vs_rest import NO_TIME
from ..training.proof import priced_alone, shared
from .columns import labels, rows_for
from .dataset import target_numbers
from .exit_codes import DONE, INTERRUPTED
from .models import model_and_table
from .options import Data, Drop, Interruption, Json, Model, Proof, TimeLimit, plain_errors
from .report import GapBar, certificate_fields, description, model_fields, print_json, print_lines
from .streams import note
from .tables import Table


@plain_errors
def certify(
    model: Model,
    data: Data,
    target: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="By default the target of the model; as often as it has.")
    ] = None,
    gap: Annotated[float, typer.Option(help="How close to the optimum the lower bound is to come.")] = 1e-4,
    time_limit: TimeLimit = None,
    prove: Proof = "auto",
    drop: Drop = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Nothing on stderr but errors.")] = False,
) -> int:
    """Bound the distance of MODEL from the best network of any width on DATA, with the model's loss, beta and scaling.

    On other data than it was trained on, the network is usually far from optimal; that is no defect.
    """
    saved, table = model_and_table(model, data, drop or ())
    problem = problem_of(saved, table, target or ())
    start = time.perf_counter()
    with Interruption() as interruption, GapBar(gap, time_limit, enabled=not quiet) as bar:
        options = {"gap": gap, "time_limit": time_limit, "prove": prove, "progress": bar}
        certificate = certified(saved, problem, interruption, options)
    seconds = time.perf_counter() - start
    if as_json:
        fields = {
            **certificate_fields(certificate),
            **model_fields(saved),
            "status": "interrupted" if interruption.came else "certified",
            "seconds": seconds,
            "n_rows": problem.n,
        }
        print_json(fields)
    else:
        lines = [
            ("model", f"{description(saved)}, beta {saved.beta:.8g}"),
            ("neurons", str(saved.network.n_neurons)),
            *certificate.lines(),
            ("in words", certificate.in_words()),
            ("time", f"{seconds:.2f} s"),
        ]
        print_lines(lines)
    if not interruption.came:
        return DONE
    if not quiet:
        note("Interrupted; this is the best bound so far.")
    return INTERRUPTED


def certified(
    saved: SavedModel, problem: TrainingProblem, interruption: Interruption, options: Mapping[str, Any]
) -> Certificate:
    """The certificate of the model; the options are those of `neuralgauge.certify`.

    Of outputs that were trained apart the sum over the classes, among networks that share no neurons between them.
    """
    if not saved.is_apart:
        return certify_network(saved.network, problem, **options)
    time_limit, prove = options["time_limit"], shared(options["prove"], problem.c)
    share, parts = None if time_limit is None else time_limit / problem.c, []
    for k in range(problem.c):
        limit, own = (NO_TIME, priced_alone(prove, problem.output(k))) if interruption.came else (share, prove)
        each = {**options, "time_limit": limit, "prove": own}
        parts.append(certify_network(saved.network.output(k), problem.output(k), **each))
    return Certificate.total(parts)


def target_columns(saved: SavedModel, table: Table, targets: Sequence[str]) -> tuple[str, ...]:
    """The target columns that are given, or those of the model; an InvalidInputError for other numbers of them."""
    names = tuple(targets) or saved.target_names
    if not names:
        raise InvalidInputError("The model file names no target column; give `--target`.")
    wanted = saved.network.n_outputs if saved.task == "regression" else 1
    if len(names) != wanted:
        raise InvalidInputError(f"The model has {wanted} target columns, got {len(names)}; give `--target` for each.")
    for name in names:
        table.require(name)
    return names


def problem_of(saved: SavedModel, table: Table, targets: Sequence[str]) -> TrainingProblem:
    """The training problem of the model with the rows of the table."""
    loss, names = saved.training_loss, target_columns(saved, table, targets)
    saved.check_columns([column for column in table.columns if column not in names])
    scaling = saved.standardization
    if saved.task == "regression":
        y = scaling.target(target_numbers(table, names, loss))
    else:
        y = saved.encode(labels(table, names[0], as_text=isinstance(saved.classes[0], str)))
    X = scaling.features(rows_for(saved, table))
    rows, y, weight = canonical_rows(X, y, checked_weights(None, len(y)))
    return TrainingProblem(
        rows,
        y,
        beta=saved.beta,
        loss=loss,
        bias=saved.network.bias,
        offset=saved.offset,
        sample_weight=weight,
        **saved.constraints._asdict(),
    )
