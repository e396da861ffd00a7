"""Who takes part: the systems with their settings, at their defaults and tightened."""

from dataclasses import dataclass, field
from typing import Any

from problems import Problem

STEPS = (0.1, 0.03, 0.01, 0.003)  # of Adam
STEPS_SGD = (1.0, 0.3, 0.1, 0.03, 0.01)
WIDTH = 200  # neurons, fewer where there are fewer samples


@dataclass(frozen=True)
class System:
    """One system with one choice of settings."""

    tool: str
    setting: str
    adapter: str
    kinds: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    share: float = 1.0  # of the limit, for each of its runs
    losses: tuple[str, ...] = ("squared", "logistic")
    tighter_than: str = ""  # the setting of the tool without which this one need not be tried

    @property
    def label(self) -> str:
        return f"{self.tool}, {self.setting}"

    @property
    def ours(self) -> bool:
        return self.tool == OURS

    def takes(self, problem: Problem, data: dict[str, Any]) -> bool:
        return problem.kind in self.kinds and data["loss"] in self.losses


OURS = "neuralgauge"
PROGRAMS, TRAINING, PATHS = ("relu", "gated"), ("training",), ("path",)


def cvxpy(solver: str, setting: str, tol: float, tighter_than: str = "") -> System:
    tool, options = f"CVXPY + {'Clarabel' if solver == 'CLARABEL' else solver}", {"solver": solver, "tol": tol}
    return System(tool, setting, "cvxpy", PROGRAMS, options, tighter_than=tighter_than)


def adelie(setting: str, tol: float, tighter_than: str = "") -> System:
    return System("adelie", setting, "adelie", PROGRAMS, {"tol": tol}, tighter_than=tighter_than)


def scnn(setting: str, tol: float, unitize: bool, tighter_than: str = "") -> System:
    options = {"tol": tol, "unitize": unitize, "iterations": 10_000 if tol == 1e-6 else 10**7}
    return System("scnn", setting, "scnn", PROGRAMS, options, tighter_than=tighter_than)


def mlp(solver: str, setting: str, iterations: int, tight: bool) -> System:
    options = {"solver": solver, "iterations": iterations, "tight": tight, "width": WIDTH}
    return System(f"scikit-learn MLP, {solver}", setting, "sklearn", TRAINING, options, share=0.5)


def torch(solver: str, setting: str, steps: tuple[float, ...], cosine: bool) -> System:
    options = {"solver": solver, "steps": list(steps), "cosine": cosine, "width": WIDTH}
    name = {"adam": "Adam", "sgd": "SGD"}[solver]
    return System(f"PyTorch {name}", setting, "torch", TRAINING, options, share=0.35)


SYSTEMS = [
    System(OURS, "gap 1e-2", "neuralgauge", PROGRAMS, {"tol": 1e-2}),
    System(OURS, "gap 1e-3", "neuralgauge", PROGRAMS, {"tol": 1e-3}),
    System(OURS, "gap 1e-4", "neuralgauge", PROGRAMS, {"tol": 1e-4}),
    System(OURS, "gap 1e-8, default", "neuralgauge", PROGRAMS, {"tol": 1e-8}),
    System(OURS, "gap 1e-4, default", "neuralgauge", TRAINING, {"tol": 1e-4}),
    System(OURS, "path, gap 1e-2", "neuralgauge", PATHS, {"tol": 1e-2}),
    System(OURS, "path, gap 1e-3, default", "neuralgauge", PATHS, {"tol": 1e-3}),
    cvxpy("CLARABEL", "loose, 1e-4", 1e-4),
    cvxpy("CLARABEL", "defaults", 0.0, "loose, 1e-4"),
    cvxpy("SCS", "defaults", 0.0),
    cvxpy("SCS", "tight, 1e-7", 1e-7, "defaults"),
    adelie("default, tol 1e-7", 1e-7),
    adelie("tight, tol 1e-10", 1e-10),
    adelie("tight, tol 1e-12", 1e-12, "tight, tol 1e-10"),
    scnn("default, tol 1e-6", 1e-6, True),
    scnn("unscaled, tol 1e-6", 1e-6, False),
    scnn("tight, tol 1e-12", 1e-12, True, "default, tol 1e-6"),
    mlp("adam", "defaults", 200, False),
    mlp("adam", "tight", 10**6, True),
    mlp("lbfgs", "defaults", 200, False),
    mlp("lbfgs", "tight", 10**5, True),
    torch("adam", "default step 1e-3", (1e-3,), False),
    torch("adam", f"sweep of {len(STEPS)} steps", STEPS, True),
    torch("sgd", f"sweep of {len(STEPS_SGD)} steps", STEPS_SGD, True),
    System("L-BFGS", "path, ftol 1e-9", "lbfgs", PATHS, {"iterations": 10**5, "tol": 1e-9, "width": WIDTH}),
    System("L-BFGS", "path, ftol 1e-6", "lbfgs", PATHS, {"iterations": 10**5, "tol": 1e-6, "width": WIDTH}),
    System("L-BFGS", "restarts", "lbfgs", TRAINING, {
        "iterations": 10**5, "tol": 1e-12, "restarts": 10**6, "width": WIDTH,
    }),
]  # fmt: skip
