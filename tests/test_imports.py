"""The tree is the theory: imports point down only, and what is exported is documented."""

import ast
import doctest
import inspect
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import neuralgauge as ng

SOURCE, ROOT = Path(ng.__file__).parent, Path(__file__).parents[1]

# From the ground up. A module may import from lower layers and from its own.
LAYERS = (
    ("errors", "quoting"),
    ("wording", "_array", "_compiled", "_threads"),
    ("losses", "features"),
    ("shards",),
    ("networks",),
    ("patterns", "pricing"),
    ("problems",),
    ("certificate", "programs"),
    ("solvers",),
    ("relaxation",),
    ("pruning",),
    ("training",),
    ("preparation",),
    ("surrogates",),
    ("estimators", "interchange", "plots"),
    ("onnx_models",),
    ("reporting", "formulas"),
    ("cli",),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def module_name(path):
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in SOURCE.rglob("*.py")}


def imported_modules(name, path):
    """Modules of the package that this one imports, anywhere in its text, or at the first use of a name."""
    path = stub if (stub := path.with_suffix(".pyi")).exists() else path
    package = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1] + (node.module.split(".") if node.module else [])
            for alias in node.names:
                submodule = ".".join([*base, alias.name])
                yield submodule if submodule in MODULES else ".".join(base)
        elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "neuralgauge":
            yield node.module.removeprefix("neuralgauge").lstrip(".")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "neuralgauge":
                    yield alias.name.removeprefix("neuralgauge").lstrip(".")


IMPORTS = {name: set(imported_modules(name, path)) for name, path in MODULES.items()}


def top(name):
    return name.split(".")[0]


def test_no_import_cycles():
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' <- '.join(error.args[1])}")


def test_no_cycles_between_folders():
    folders = {}
    for name, targets in IMPORTS.items():
        folders.setdefault(top(name), set()).update(top(target) for target in targets if top(target) != top(name))
    assert set(TopologicalSorter(folders).static_order()) == set(folders)


def test_every_module_has_a_layer():
    unknown = {top(name) for name in MODULES} - set(LEVEL) - {""}
    assert not unknown, f"give {unknown} a layer in this file"


@pytest.mark.parametrize("name", sorted(set(MODULES) - {""}))
def test_imports_point_down(name):
    for target in IMPORTS[name]:
        assert target, f"{name} imports the package itself"
        assert LEVEL[top(target)] <= LEVEL[top(name)], f"{name} imports {target}, which lies above it"


def test_the_certificate_knows_no_solver():
    reached, waiting = set(), ["certificate"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += IMPORTS[name]
    below = {"problems", "networks", "losses", "_array", "errors", "quoting", "wording"}
    assert {top(name) for name in reached} == {"certificate", *below}


def test_the_reproduction_is_a_user_of_the_library():
    """It knows the public names and these modules, and nothing but its command knows it."""
    known = {"neuralgauge", "neuralgauge.certificate", "neuralgauge.interchange.atomic_write", "neuralgauge.quoting"}
    files = list((SOURCE.parent / "neuralgauge_reproduction").glob("*.py"))
    assert files
    assert set().union(*map(absolute_imports, files)) == known
    users = {name for name, path in MODULES.items() if any("reproduction" in one for one in absolute_imports(path))}
    assert users == {"cli.reproduce"}


def absolute_imports(path):
    """Modules of this distribution that a file imports by their whole names, anywhere in its text."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module)
    return {name for name in found if name.startswith("neuralgauge")}


def test_benchmarks_and_examples_import_what_there_is():
    missing = []
    for path in (*ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("examples/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "neuralgauge":
                module = import_module(node.module)
                missing += [f"{path.name}: {one.name}" for one in node.names if not is_in(module, one.name)]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ng":
                missing += [] if hasattr(ng, node.attr) else [f"{path.name}: ng.{node.attr}"]
    assert not missing


def is_in(module, name):
    return hasattr(module, name) or f"{module.__name__}.{name}".removeprefix("neuralgauge.") in MODULES


@pytest.mark.parametrize("name", ng.__all__)
def test_exported_names_are_documented(name):
    thing = getattr(ng, name)
    assert (inspect.getdoc(thing) or "").strip(), f"{name} has no docstring"
    examples = doctest.DocTestFinder(recurse=False).find(thing, name)
    if does_something(thing):
        assert any(test.examples for test in examples), f"the docstring of {name} has no example"


def does_something(thing):
    if not inspect.isclass(thing):
        return True
    methods = [name for name, member in vars(thing).items() if inspect.isfunction(member) and name[0] != "_"]
    return bool(methods) and not getattr(thing, "_is_protocol", False)


def test_exported_names_are_sorted_and_complete():
    assert list(ng.__all__) == sorted(ng.__all__)
    public = {getattr(ng, name).__name__ for name in ng.__all__}
    assert public == set(ng.__all__)


def rows_read(path):
    """Attributes `.X` that a module reads, but on records of user data."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr == "X" and isinstance(node.ctx, ast.Load):
            owner = ast.unparse(node.value)
            if owner not in ("data", "dataset"):
                yield f"{owner}.X"


@pytest.mark.parametrize("name", sorted(name for name in MODULES if top(name) != "features"))
def test_rows_are_read_through_the_features(name):
    """Products, gates and Grams are theirs; what needs all rows at once asks for `dense()`. Users read `problem.X`."""
    own = {"problems.training": ["self.features.X"], "problems.linear_conv": ["self.images.X"]}
    factors = ["system.X", "self.X", "self.system.X"]  # of Newton systems: images with a column of ones
    inside = {"solvers._conv_factors": factors, "solvers._conv_system": factors, "solvers.facets": ["self.X"]}
    inside["preparation.prepared"] = ["self.X"]  # what users hold
    inside["pricing.direction_search"] = ["self.X"]  # prices are functions of arrays
    allowed = {*own.get(name, ()), *inside.get(name, ())}
    if top(name) == "problems":
        allowed.add("self.X")
    assert set(rows_read(MODULES[name])) <= allowed


# Where rows must be whole: exact prices, ascents along kinks, facets of cones, compiled sweeps, interpolation.
DENSE = {
    "pricing.explore",
    "pricing.search",
    "problems.column_scales",
    "problems.scored",
    "problems.training",
    "programs.block",
    "relaxation.proven_bound",
    "relaxation._row_method",
    "relaxation.sampled_rows",
    "relaxation.splitting",
    "solvers._conv_system",
    "solvers._scaled_rows",
    "solvers.circular_conv",
    "solvers.gated",
    "solvers.nuclear_norm",
    "solvers.reference",
    "training.column_generation",
    "training.dual_side",
    "training.interpolation",
}


def test_few_modules_ask_for_whole_rows():
    found = {
        name
        for name, path in MODULES.items()
        if top(name) != "features" and any(call in path.read_text() for call in ("features.dense(", "images.dense("))
    }
    assert found == DENSE
