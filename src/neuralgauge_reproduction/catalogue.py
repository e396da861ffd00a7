"""The experiments by name, in the order of the paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .circular import figure_5
from .convolution import figure_10
from .counting import counting
from .duality import duality
from .gauge_sets import figure_1
from .images import figure_4
from .line import figure_2
from .linear_filters import linear_filters
from .neuron_distances import figure_11
from .outcome import Outcome
from .planar import figure_3, figure_6
from .regression import figure_7, figure_8, figure_9
from .scale import Scale
from .timing import FIGURES, table_1

Run = Callable[[Scale, Mapping[str, Outcome]], Outcome]


@dataclass(frozen=True)
class Experiment:
    """An experiment of the paper.

    Attributes
    ----------
    label : str
        As the paper numbers it.
    about : str
        What it shows, in a sentence.
    run : callable
        Of the scale and the outcomes found so far.
    needs : tuple of str
        Experiments whose outcomes it reads.
    """

    label: str
    about: str
    run: Run
    needs: tuple[str, ...] = ()


def _alone(figure: Callable[[Scale], Outcome]) -> Run:
    return lambda scale, _: figure(scale)


EXPERIMENTS = {
    "fig1": Experiment(
        "Fig. 1",
        "The sets behind the neural gauge: the image of the unit ball under X, its rectification, and the polar of the "
        "rectified set and its mirror image.",
        _alone(figure_1),
    ),
    "duality": Experiment(
        "Sections 2, 3, 5",
        "What the paper states of duality, of the program [8] and of other losses (A.3, A.8, A.10 to A.13).",
        _alone(duality),
    ),
    "patterns": Experiment(
        "Section 3, A.2", "The number of activation patterns and their enumeration.", _alone(counting)
    ),
    "filters": Experiment(
        "Section 4", "What the paper states of convolutional networks (4.1 to 4.3, A.5 to A.7).", _alone(linear_filters)
    ),
    "fig2": Experiment(
        "Fig. 2",
        "Objective of a two-layer ReLU network under descent from ten initialisations, at three widths, against the "
        "value of the convex program.",
        _alone(figure_2),
    ),
    "fig3": Experiment(
        "Fig. 3",
        "Classification in the plane by descent, by the program over all patterns and by one over random patterns.",
        _alone(figure_3),
    ),
    "fig4": Experiment(
        "Fig. 4",
        "Two classes of CIFAR-10: descent, and programs over patterns of its networks.",
        _alone(figure_4),
    ),
    "fig5": Experiment(
        "Fig. 5",
        "A linear convolutional network: descent against the convex program in the Fourier domain.",
        _alone(figure_5),
    ),
    "fig6": Experiment("Fig. 6", "Fig. 3 on points where a negative one lies next to positive ones.", _alone(figure_6)),
    "fig7": Experiment("Fig. 7", "Regression: training objective and test error on Boston Housing.", _alone(figure_7)),
    "fig8": Experiment("Fig. 8", "Regression: training objective and test error on Kinematics.", _alone(figure_8)),
    "fig9": Experiment("Fig. 9", "Regression: training objective and test error on Bank.", _alone(figure_9)),
    "fig10": Experiment(
        "Fig. 10", "A two-layer convolutional ReLU network on two classes of CIFAR-10.", _alone(figure_10)
    ),
    "fig11": Experiment(
        "Fig. 11",
        "Distances |w_i / |w_i| - u_j / |u_j|| between the neurons found by descent, u_j, and by Alg1 in Fig. 10, w_i: "
        "those for the patterns of descent, and those for the patterns of clusters of patches.",
        figure_11,
        ("fig10",),
    ),
    "table1": Experiment(
        "Table 1", "Seconds, objectives and test accuracies of Figs. 2 to 5, the paper's beside ours.", table_1, FIGURES
    ),
}
