"""scikit-learn's base classes, with types.

scikit-learn has none, so that its classes are of type Any to a type checker; with such a base it takes any parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:

    class BaseEstimator:
        """What type checkers are to see: two names that are used here, and any other."""

        def __sklearn_tags__(self) -> Any: ...
        def __getattr__(self, name: str) -> Any: ...

    class ClassifierMixin:
        """Nothing that is used here."""

    class RegressorMixin:
        """Nothing that is used here."""
else:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

__all__ = ["BaseEstimator", "ClassifierMixin", "RegressorMixin"]
