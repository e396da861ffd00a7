"""Fewer filters of a linear convolutional network, by a singular value decomposition."""

from __future__ import annotations

import numpy as np

from ..features.spectrum import Spectrum
from ..networks.linear_conv import LinearConvNetwork
from ..problems.linear_conv import LinearConvProblem
from ..programs.circular_conv import network_of_blocks


def fewest_filters(network: LinearConvNetwork, problem: LinearConvProblem, width: int | None) -> LinearConvNetwork:
    r"""Return the network with the fewest filters, or with the `width` largest singular values of its matrix.

    rank(Z) filters are enough for Z = sum_j u_j alpha_j^T, with the same outputs on all images and the weight decay
    \|Z\|_* (Eckart and Young for fewer). A `full_circle` geometry needs only as many as the largest rank of a
    frequency's block: one for one channel or one output.
    """
    geometry = problem.geometry
    if not geometry.full_circle:
        Z = network.matrix
        if width is not None and width < min(Z.shape):
            P, s, Qt = np.linalg.svd(Z, full_matrices=False)
            Z = (P[:, :width] * s[:width]) @ Qt[:width]
        return LinearConvNetwork.of_matrix(Z, geometry, network.offset)
    spectrum = Spectrum.of(geometry.shape)
    w = spectrum.blocks(network.pixels)
    if width is not None and width < min(w.shape[1:]):
        P, s, Q_h = np.linalg.svd(w, full_matrices=False)
        w = (P[:, :, :width] * s[:, None, :width]) @ Q_h[:, :width]
    return network_of_blocks(w, spectrum, geometry, network.offset, fewest=True)


def filters_within(network: LinearConvNetwork, problem: LinearConvProblem, limit: float) -> LinearConvNetwork:
    """Return the network of the fewest largest singular values whose objective is up to the limit, which all keep."""
    whole = fewest_filters(network, problem, None)
    for width in range(whole.n_neurons):
        small = fewest_filters(network, problem, width)
        if problem.objective(small) <= limit:
            return small
    return whole
