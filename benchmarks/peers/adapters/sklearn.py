"""scikit-learn's MLP with weight decay beta: `alpha` is beta, as its loss is a mean and its penalty is over 2 n.

It does not penalise biases and cannot leave them out; the objective penalises them all the same.
"""

import numpy as np


def with_output_bias(U, A, bias):
    """The network with its output bias as one more neuron, the constant one, of least weight decay."""
    root = np.sqrt(np.abs(bias))
    constant = np.zeros((len(U), 1))
    constant[-1] = root  # the last column of X is one
    return {"U": np.hstack([U, constant]), "A": np.vstack([A, [[np.sign(bias) * root]]])}


def prepare(data):
    import scipy.optimize
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    X, y, iterations = data["X"][:, :-1], data["y"], int(data["iterations"])
    Base = MLPRegressor if str(data["loss"]) == "squared" else MLPClassifier
    watch = []

    class Watched(Base):
        """An MLP that calls `watch` after every epoch or L-BFGS iteration."""

        def _update_no_improvement_count(self, *arguments):
            super()._update_no_improvement_count(*arguments)
            for call in watch:
                call(self)

    minimize = scipy.optimize.minimize

    def watched_minimize(fun, x0, **options):
        model = getattr(fun, "__self__", None)

        def callback(theta):
            model._unpack(theta)
            for call in watch:
                call(model)

        return minimize(fun, x0, callback=callback if model is not None else None, **options)

    scipy.optimize.minimize = watched_minimize

    def make(max_iter):
        tight = {"tol": 1e-9, "n_iter_no_change": max_iter} if bool(data["tight"]) else {}
        width, beta = int(data["width"]), float(data["betas"][-1])
        return Watched(
            hidden_layer_sizes=(width,),
            solver=str(data["solver"]),
            alpha=beta,
            max_iter=max_iter,
            random_state=0,
            **tight,
        )

    def solve(recorder):
        def record(model, force=False):
            if force or recorder.due():
                U = np.vstack([model.coefs_[0], model.intercepts_[0]])
                recorder.add(**with_output_bias(U, model.coefs_[1], float(model.intercepts_[1][0])))
            if not force and recorder.left <= 0.0:
                # Both end the fit as if it had converged: Adam takes the one, SciPy's L-BFGS the other.
                raise KeyboardInterrupt if str(data["solver"]) == "adam" else StopIteration

        watch.append(record)
        record(make(iterations).fit(X, y), force=True)

    make(2).fit(X[:50], y[:50])
    return solve
