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
    paper : str
        What the paper does and finds there.
    run : callable
        Of the scale and the outcomes found so far.
    needs : tuple of str
        Experiments whose outcomes it reads.
    """

    label: str
    about: str
    paper: str
    run: Run
    needs: tuple[str, ...] = ()


def _alone(figure: Callable[[Scale], Outcome]) -> Run:
    return lambda scale, _: figure(scale)


EXPERIMENTS = {
    "fig1": Experiment(
        "Fig. 1",
        "The sets behind the neural gauge: the image of the unit ball under X, its rectification, and the polar of "
        "the rectified set and its mirror image.",
        "Section 2.1 draws the three sets. The least weight decay of a network through all the points is the neural "
        "gauge of y: the support function of the polar set, which is convex.",
        _alone(figure_1),
    ),
    "duality": Experiment(
        "Sections 2, 3, 5",
        "What the paper states of duality, of the program [8] and of other losses (A.3, A.8, A.10 to A.13).",
        "Sections 2, 3 and 5 prove that training is a convex program: its dual [4], [15], Theorem 1 and the network "
        "that the blocks of [8] make, the number of neurons, and the same for every convex loss.",
        _alone(duality),
    ),
    "patterns": Experiment(
        "Section 3, A.2",
        "The number of activation patterns and their enumeration.",
        "The program [8] has two blocks for every pattern. Section 3 and A.2 bound the number of patterns by a "
        "polynomial in n, whose degree grows with the rank of X and not with the number of its columns.",
        _alone(counting),
    ),
    "filters": Experiment(
        "Section 4",
        "What the paper states of convolutional networks (4.1 to 4.3, A.5 to A.7).",
        "Section 4 and A.5 to A.7 have three convolutional networks: separable ReLU filters, the program [8] on "
        "patches; linear filters, a nuclear norm [12]; and filters around the circle, an l1 norm of the Fourier "
        "transform [14].",
        _alone(linear_filters),
    ),
    "fig2": Experiment(
        "Fig. 2",
        "Objective of a two-layer ReLU network under descent from ten initialisations, at three widths, against the "
        "value of the convex program.",
        "Section 6 takes five points on a line, with a column of ones, and the squared loss. Descent is caught in "
        "local minima at m = 8; more trials reach the optimum at m = 15 and 50; the program [8] attains it.",
        _alone(figure_2),
    ),
    "fig3": Experiment(
        "Fig. 3",
        "Classification in the plane by descent, by the program over all patterns and by one over random patterns.",
        "Section 6 takes n = 50 points in the plane, m = 50 neurons, the hinge loss and batches of 25. Most trials of "
        "descent end slightly above [8]; a program over 50 random patterns can already be better than they are.",
        _alone(figure_3),
    ),
    "fig4": Experiment(
        "Fig. 4",
        "Two classes of CIFAR-10: descent, and programs over patterns of its networks.",
        "Section 6 takes n = 106 images of two classes, d = 100, m = 12, the hinge loss and batches of 25. Alg1, the "
        "program over the patterns of the trained network and random ones, has the lowest objective and the highest "
        "test accuracy of ten trials.",
        _alone(figure_4),
    ),
    "fig5": Experiment(
        "Fig. 5",
        "A linear convolutional network: descent against the convex program in the Fourier domain.",
        "Section 6 takes n = 387 images, m = 30 filters of length h = 10 and batches of 60. All five trials of "
        "descent reach the objective of [14], with almost the same filters.",
        _alone(figure_5),
    ),
    "fig6": Experiment(
        "Fig. 6",
        "Fig. 3 on points where a negative one lies next to positive ones.",
        "A.1 makes Fig. 3 harder by a negative point among the positive ones. All trials of descent are caught in "
        "local minima, far above both programs.",
        _alone(figure_6),
    ),
    "fig7": Experiment(
        "Fig. 7",
        "Regression: training objective and test error on Boston Housing.",
        "A.1 takes n = 400 rows of d = 13 columns, m = 12, the squared loss and batches of 25, and draws objective "
        "and test error over seconds. Alg1 has the lowest of both.",
        _alone(figure_7),
    ),
    "fig8": Experiment(
        "Fig. 8",
        "Regression: training objective and test error on Kinematics.",
        "A.1 takes n = 4000 rows of d = 8 columns, m = 12, the squared loss and batches of 25. Alg1 has the lowest "
        "objective and test error.",
        _alone(figure_8),
    ),
    "fig9": Experiment(
        "Fig. 9",
        "Regression: training objective and test error on Bank.",
        "A.1 takes n = 4000 rows of d = 32 columns, m = 12, the squared loss and batches of 25. Alg1 has the lowest "
        "objective and test error.",
        _alone(figure_9),
    ),
    "fig10": Experiment(
        "Fig. 10",
        "A two-layer convolutional ReLU network on two classes of CIFAR-10.",
        "A.1 takes n = 195 images, filters of 4 x 4 x 3 with stride 4, m = 50, the hinge loss and batches of 20. Alg1 "
        "has the patterns of descent and those of 50 clusters of patches, the lowest objective and the highest test "
        "accuracy.",
        _alone(figure_10),
    ),
    "fig11": Experiment(
        "Fig. 11",
        "Distances |w_i / |w_i| - u_j / |u_j|| between the neurons found by descent, u_j, and by Alg1 in Fig. 10, "
        "w_i: those for the patterns of descent, and those for the patterns of clusters of patches.",
        "A.1 finds that the neurons for the patterns of descent match those of descent, so that the lower objective "
        "in Fig. 10 comes from the patterns of clusters.",
        figure_11,
        ("fig10",),
    ),
    "table1": Experiment(
        "Table 1",
        "Seconds, objectives and test accuracies of Figs. 2 to 5, the paper's beside ours.",
        "A.1 lists seconds, objectives and accuracies, the programs by CVX and SDPT3: they are lower than descent and "
        "take less time.",
        table_1,
        FIGURES,
    ),
}
