"""What a report says in words: certificate, model, and how to come to the same again."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import numpy as np

from ..certificate import PROVEN
from ..interchange import SavedModel, StatedCertificate
from ..interchange.model_content import package_version
from ..wording import WHAT_IS_BETTER
from .scales import shown
from .subject import Subject

PACKAGES = ("numpy", "scipy", "scikit-learn")


class Verdict(NamedTuple):
    """The certificate in words, what they mean and are about, and "proven", "searched" or "open"."""

    words: str
    about: str
    kind: str


def verdict(subject: Subject) -> Verdict:
    """What the certificate says about the network; what a file states counts as not proven."""
    certificate = subject.certificate
    kind = "proven" if certificate.scope in PROVEN and not isinstance(certificate, StatedCertificate) else "searched"
    if not np.isfinite(certificate.gap) or certificate.gap < 0.0:
        kind = "open"
    rows = "of this report" if subject.anew else "that the network was trained on"
    scaled = (
        ""
        if np.all(subject.saved.standardization.feature_scale == 1.0)
        else ", in units in which every column has deviation 1"
    )
    words = certificate.in_words()
    meaning = f"{WHAT_IS_BETTER} " if WHAT_IS_BETTER in words else ""
    about = f"{meaning}The certificate is about the rows {rows}{scaled}."
    return Verdict(words.replace(WHAT_IS_BETTER, "").strip(), about, kind)


def model_facts(subject: Subject) -> list[tuple[str, str]]:
    """Names and values: task, loss, penalty, size, seed."""
    saved = subject.saved
    parameters = "".join(f", {name} {shown(value)}" for name, value in (saved.loss_parameters or {}).items())
    facts = [
        ("task", saved.task + (", each class against the rest" if saved.is_apart else "")),
        ("loss", f"{saved.loss}{parameters}"),
        ("beta", repr(saved.beta)),
        ("neurons", str(saved.network.n_neurons)),
        ("hidden bias", "yes" if saved.network.bias else "no"),
        ("output offset", "yes" if saved.offset else "no"),
    ]
    seed = getattr(subject.model, "random_state", None)
    if seed is not None:
        facts.append(("seed", str(seed)))
    if subject.solution is not None:
        facts.append(("training", f"{subject.solution.status.value} {shown(subject.solution.seconds, 3)} s"))
    return facts


def versions(subject: Subject) -> list[tuple[str, str]]:
    """Names and versions of what computed the report, and of what trained a model from a file."""
    found = [("neuralgauge", package_version())]
    if isinstance(subject.model, SavedModel) and subject.saved.package_version:
        found.append(("neuralgauge that trained the model", subject.saved.package_version))
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return [*found, ("Python", platform.python_version()), ("system", f"{platform.system()} {platform.machine()}")]


def fingerprint(subject: Subject) -> str:
    """The first 16 digits of SHA-256 of the numbers of X and y: equal data, equal digits."""
    digest = hashlib.sha256()
    for array in (subject.rows, np.asarray(subject.y, dtype=np.float64)):
        digest.update(f"{array.shape}".encode() + np.ascontiguousarray(array, dtype="<f8").tobytes())
    return digest.hexdigest()[:16]
