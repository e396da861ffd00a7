"""What `neuralgauge train` has to report: as fields of a JSON object, and as lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..interchange import SavedModel
from ..quoting import quoted
from ..solvers.solution import Solution
from .dataset import Dataset
from .report import certificate_fields, description, model_fields
from .scores import in_words
from .streams import STANDARD_OUTPUT, STREAM

NONE_HELD_OUT = (
    "none, every row was trained on; `--holdout 0.2` keeps a fifth of them to try the network on rows it has not seen"
)
MOST_DESCRIBED = 40  # that are described on the screen; the JSON object has all


@dataclass(frozen=True)
class Outcome:
    """A training, the rows and options it had, and the scores on the rows trained on and on those held out, if any."""

    model: SavedModel
    solution: Solution[Any]
    dataset: Dataset
    standardize: bool
    output: str | None
    training_score: dict[str, Any]
    held_out_score: dict[str, Any] | None

    def fields(self) -> dict[str, Any]:
        """Of the JSON object."""
        model, solution, dataset = self.model, self.solution, self.dataset
        return {
            **certificate_fields(solution.certificate),
            **model_fields(model),
            "status": solution.status.name.lower(),
            "message": solution.status.value,
            "seconds": solution.seconds,
            "n_iter": solution.n_iter,
            "task": model.task,
            "bias": model.network.bias,
            "standardized": self.standardize,
            "target": model.target_name if len(dataset.targets) == 1 else list(dataset.targets),
            "classes": list(model.classes),
            "n_rows": len(dataset.y),
            "n_features": len(model.feature_names),
            "columns": dataset.described,
            "guessed": dataset.guessed or None,
            "training_score": self.training_score,
            "held_out_score": self.held_out_score,
            "output": self.output,
        }

    def lines(self) -> list[tuple[str, str]]:
        """Names and values to print."""
        model, solution, dataset = self.model, self.solution, self.dataset
        held_out = NONE_HELD_OUT if self.held_out_score is None else self._on_held_out(self.held_out_score)
        return [
            ("task", f"{description(model)}{f' ({dataset.guessed})' if dataset.guessed else ''}"),
            ("data", f"{len(dataset.y)} rows, {len(model.feature_names)} features"),
            *self._columns(),
            ("scaling", self._scaling()),
            ("beta", f"{model.beta:.8g}"),
            ("neurons", str(model.network.n_neurons)),
            ("training score", f"{in_words(self.training_score)}; on the {len(dataset.y)} rows trained on"),
            ("held-out score", held_out),
            *solution.certificate.lines(),
            ("in words", solution.certificate.in_words()),
            ("status", solution.status.value),
            ("time", f"{solution.seconds:.2f} s"),
            ("model", _saved_to(self.output)),
        ]

    def _on_held_out(self, score: dict[str, Any]) -> str:
        drawn = "the same share of each class" if self.model.classes else "drawn at random"
        return f"{in_words(score)}; on {score['n_rows']} rows kept from the training, {drawn}"

    def _columns(self) -> list[tuple[str, str]]:
        """What was done to the columns that are not plain numbers."""
        said = [f"{quoted(name)}: {how}" for name, how in self.dataset.described.items()]
        more = [f"and {len(said) - MOST_DESCRIBED:,} more columns"] if len(said) > MOST_DESCRIBED else []
        return [("" if k else "columns", line) for k, line in enumerate([*said[:MOST_DESCRIBED], *more])]

    def _scaling(self) -> str:
        dataset = self.dataset
        if not self.standardize:
            return "none, columns are taken as they are"
        whole = "features" if not dataset.scales_targets else "features and target" + "s" * (len(dataset.targets) > 1)
        if not self.model.network.bias:
            whole = f"{whole} have mean square 1, without a bias they are not centred"
            return f"{whole}; the model file undoes it, objectives are of the scaled problem"
        return f"{whole} have mean 0 and deviation 1; the model file undoes it, objectives are of the scaled problem"


def _saved_to(output: str | None) -> str:
    if output is None:
        return "not saved, give `--output` to save it"
    return f"written to {STANDARD_OUTPUT}" if output == STREAM else f"saved to {quoted(output)}"
