"""The calls behind each experiment, on data that scikit-learn ships or draws; the gallery shows their bodies."""

from __future__ import annotations


def fig1() -> None:
    """The neural gauge of a target, and the polar gauge G, which is at most 1 on the polar set."""
    import neuralgauge as ng

    X, y = [[1.0, 0.3], [-0.4, 0.9]], [0.9, -0.5]
    print(ng.neural_gauge(X, y, bias=False, gap=1e-8).certificate.upper)  # the least t with y in t Conv(Q_X and -Q_X)
    print(ng.price([0.9, -0.5], X).value)  # G(z) of z = (0.9, -0.5); z / G(z) is on the rim of the polar set


def duality() -> None:
    """The program over all patterns, and a dual point that proves its value for every network of every width."""
    import numpy as np

    import neuralgauge as ng
    from neuralgauge.certificate import lower_bound

    rng = np.random.default_rng(0)
    problem = ng.TrainingProblem(rng.standard_normal((12, 2)), rng.standard_normal(12), beta=0.05)
    solution = ng.solve_program(problem, ng.enumerate_patterns(problem.X), tol=1e-9)
    polar = ng.price(solution.dual, problem.X).bound  # G(v), exactly priced
    print(problem.objective(solution.network), lower_bound(problem, solution.dual, polar))


def patterns() -> None:
    """The patterns of random rows, and how many there are in general position."""
    import numpy as np

    import neuralgauge as ng

    X = np.random.default_rng(0).standard_normal((40, 3))
    found = ng.enumerate_patterns(X)
    print(len(found), ng.count_patterns(40, rank=3))
    print(found.dense()[:2].astype(int))  # the gates of the first two


def filters() -> None:
    """Linear filters: the nuclear-norm program [12], solved and proven at once."""
    import numpy as np

    import neuralgauge as ng

    rng = np.random.default_rng(0)
    problem = ng.LinearConvProblem(rng.standard_normal((20, 9)), rng.standard_normal(20), beta=2.0, filter_size=3)
    solution = ng.train(problem, gap=1e-9)
    print(solution.certificate)
    print(solution.network.filters.shape)


def fig2() -> None:
    """The program over all ten patterns, the same value by column generation, and what a network lacks."""
    import numpy as np

    import neuralgauge as ng

    problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=1e-4)
    exact = ng.solve_program(problem, ng.enumerate_patterns(problem.X))
    print(exact.certificate.upper, ng.train(problem, gap=1e-8).certificate.lower)

    rng = np.random.default_rng(0)
    network = ng.TwoLayerNetwork(rng.standard_normal((2, 8)), rng.standard_normal(8))  # or one of descent
    print(ng.certify(network, problem))


def fig3() -> None:
    """All patterns, fifty random ones, and column generation, on points whose class is their quadrant."""
    import numpy as np

    import neuralgauge as ng

    X = np.random.default_rng(0).standard_normal((50, 2))
    y = np.where(X[:, 0] * X[:, 1] > 0, 1, -1)
    problem = ng.TrainingProblem(X, y, beta=1e-4, loss="hinge")
    optimal = ng.solve_program(problem, ng.enumerate_patterns(problem.X), tol=1e-4)
    approximate = ng.solve_program(problem, ng.sample_patterns(problem.X, 50), tol=1e-6)
    trained = ng.train(problem, gap=1e-4)
    for solution in (optimal, approximate, trained):
        print(solution.certificate.upper, solution.network.n_neurons)
    ng.plot_decision_boundary(trained.network, X, y)


def fig4() -> None:
    """A network, the program over its patterns and random ones (Alg1), and how far it is from the best network."""
    import numpy as np
    from sklearn.datasets import load_digits

    import neuralgauge as ng

    X, digit = load_digits(return_X_y=True)
    X, y = X[np.isin(digit, (3, 8))] / 16, np.where(digit[np.isin(digit, (3, 8))] == 8, 1, -1)
    problem = ng.TrainingProblem(X[:106], y[:106], beta=0.5, loss="hinge", bias=False)

    rough = ng.train(problem, gap=0.5).network  # or one of descent
    of_network = ng.sample_patterns(problem.X, rough.n_neurons, strategy="network", network=rough)
    gates = np.vstack([of_network.dense(), ng.sample_patterns(problem.X, 12).dense()])
    alg1 = ng.solve_program(problem, np.unique(gates, axis=0), tol=1e-6)
    print(problem.objective(rough), alg1.certificate.upper)
    print(ng.certify(alg1.network, problem, time_limit=2.0))
    print(np.mean(np.sign(alg1.network.predict(X[106:])) == y[106:]))


def fig5() -> None:
    """Filters of length 10 around the circle: their exact program, and [14], which is lower, for longer filters."""
    import numpy as np
    from sklearn.datasets import load_digits

    import neuralgauge as ng

    X, digit = load_digits(return_X_y=True)
    X, y = X[:387] / 16, np.where(digit[:387] % 2 == 0, 1, -1)
    problem = ng.LinearConvProblem(
        X - X.mean(axis=0), y, beta=50.0, filter_size=10, padding="same", padding_mode="circular"
    )
    print(ng.train(problem, gap=1e-8).certificate)  # [12]
    print(ng.train(problem.with_full_filters(), gap=1e-8).certificate.upper)  # [14]


def fig6() -> None:
    """The optimum around a point of the other class, with its certificate, its neurons and its decision boundary."""
    import numpy as np

    import neuralgauge as ng

    y = np.where(np.arange(50) < 25, 1, -1)
    X = 0.5 * np.random.default_rng(0).standard_normal((50, 2)) + y[:, None]
    X[-1] = X[0] + [0.05, 0.0]
    solution = ng.train(ng.TrainingProblem(X, y, beta=1e-4, loss="hinge"), gap=1e-5)
    print(solution.certificate)
    print(solution.network.n_neurons)
    ng.plot_decision_boundary(solution.network, X, y)


def fig7() -> None:
    """The best network of any width for a table, and the program over random patterns alone."""
    from sklearn.datasets import load_diabetes
    from sklearn.preprocessing import scale

    import neuralgauge as ng

    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X[:200]), scale(y[:200])
    problem = ng.TrainingProblem(X, y, beta=1.0)
    problem = problem.with_beta(0.05 * ng.beta_max(problem))
    print(ng.train(problem, gap=1e-2, time_limit=10.0, prove=False).certificate)
    random = ng.solve_program(problem, ng.sample_patterns(problem.X, 24), tol=1e-4)
    print(random.certificate.upper)


def fig8() -> None:
    """Objective and lower bound over the seconds of a training, as the page draws them."""
    import numpy as np

    import neuralgauge as ng

    rng = np.random.default_rng(0)
    X = rng.uniform(-1.5, 1.5, (400, 8))
    y = np.cos(np.cumsum(X, axis=1)).mean(axis=1)  # a planar arm of eight joints
    problem = ng.TrainingProblem(X, y - y.mean(), beta=1.0)
    solution = ng.train(problem.with_beta(0.1 * ng.beta_max(problem)), gap=2e-2, time_limit=10.0, prove=False)
    for record in solution.history[-3:]:
        print(f"{record.seconds:.2f} s: {record.objective:.5g}, at least {record.lower_bound:.5g}")
    ng.plot_training(solution)


def fig9() -> None:
    """Test errors along a path of penalties, each network with its gap."""
    from sklearn.datasets import make_friedman1
    from sklearn.preprocessing import scale

    import neuralgauge as ng

    X, y = make_friedman1(300, 32, noise=1.0, random_state=0)
    X, y = scale(X), scale(y)
    problem = ng.TrainingProblem(X[:100], y[:100], beta=1.0)
    path = ng.relu_path(problem, 4, beta_min_ratio=0.2, gap=5e-2, validation=(X[100:], y[100:]), prove=False)
    print(path.summary().select("beta", "objective", "gap", "n_neurons", "validation_error"))


def fig10() -> None:
    """Filters over images, their activations averaged over all positions, and patterns of clusters of patches."""
    import numpy as np
    from sklearn.datasets import load_digits

    import neuralgauge as ng

    images, digit = load_digits(return_X_y=True)
    chosen = np.flatnonzero(np.isin(digit, (3, 8)))[:100]
    y = np.where(digit[chosen] == 8, 1, -1)
    problem = ng.ReLUConvProblem(
        images[chosen].reshape(-1, 8, 8, 1) / 16, y, beta=1.0, filter_size=4, stride=2, loss="hinge", bias=False
    )
    clusters = ng.sample_patterns(problem.X, 20, strategy="clusters")
    print(ng.solve_program(problem, clusters, tol=1e-4).certificate.upper)
    trained = ng.train(problem, gap=5e-2, time_limit=10.0, prove=False)
    print(trained.certificate)
    print(trained.network.n_neurons, "filters")


def fig11() -> None:
    """Distances of the neurons of two networks as unit vectors, each from the nearest one of the other."""
    import numpy as np

    import neuralgauge as ng

    rng = np.random.default_rng(0)
    problem = ng.TrainingProblem(rng.standard_normal((30, 2)), rng.standard_normal(30), beta=0.5)
    exact, rough = ng.train(problem, gap=1e-6).network, ng.train(problem, gap=0.2).network
    W, U = (network.U / np.linalg.norm(network.U, axis=0) for network in (exact, rough))
    print(np.linalg.norm(W[:, :, None] - U[:, None, :], axis=0).min(axis=1).round(3))


def table1() -> None:
    """Seconds and objectives of programs over more and more patterns."""
    import numpy as np

    import neuralgauge as ng

    X = np.random.default_rng(0).standard_normal((30, 2))
    problem = ng.TrainingProblem(X, np.where(X[:, 0] * X[:, 1] > 0, 1, -1), beta=1e-2, loss="hinge")
    sets = {f"{count} random": ng.sample_patterns(problem.X, count) for count in (10, 50, 200)}
    for name, one in {**sets, "all": ng.enumerate_patterns(problem.X)}.items():
        solution = ng.solve_program(problem, one, tol=1e-6)
        print(f"{name}: {len(one)} patterns, {solution.seconds:.2f} s, objective {solution.certificate.upper:.6g}")
