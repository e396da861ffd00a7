"""The shape of the code: no function is long, and none takes more arguments than a reader can hold.

Counted are the lines of a body without its docstring, and all arguments but `self` and `cls`, those by keyword too.
"""

import ast
from pathlib import Path

import neuralgauge as ng

MOST_LINES = 45
MOST_ARGUMENTS = 9

# Users read these signatures, so they name every option.
OPTIONS = {
    "cli/train.py: train",  # typer
    "cli/html_report.py: report",
    "training/path.py: relu_path",
    "training/program_path.py: program_path",
    "solvers/program.py: solve_program",
    "training/interpolation.py: neural_gauge",
    "problems/training.py: TrainingProblem.__init__",
    "problems/conv.py: ReLUConvProblem.__init__",
    "problems/linear_conv.py: LinearConvProblem.__init__",
}
# Compiled code: Numba counts references to each array of a record that it passes on, at half the speed of a search.
COMPILED = {
    "pricing/_cone_search.py: search",
    "pricing/_cone_search.py: _classify",
    "pricing/_cone_search.py: _split",
    "pricing/_incumbent.py: onto_kinks",
    "pricing/_relaxation.py: relax",
    "pricing/_relaxation.py: _project",
    "pricing/sweep_space.py: _two_cells",
    "pricing/sweep_space_vector.py: _two_cells",
}
LONG = set[str]()


def functions(node, name=""):
    for child in ast.iter_child_nodes(node):
        inside = f"{name}{child.name}." if isinstance(child, ast.ClassDef | ast.FunctionDef) else name
        if isinstance(child, ast.FunctionDef):
            yield inside[:-1], child
        yield from functions(child, inside)


def lines(function):
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def arguments(function):
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg) if one]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def all_functions():
    source = Path(ng.__file__).parent
    for root in (source, source.parent / "neuralgauge_reproduction"):
        for path in sorted(root.rglob("*.py")):
            place = path.relative_to(source if root == source else root.parent).as_posix()
            for name, function in functions(ast.parse(path.read_text(encoding="utf-8"))):
                yield f"{place}: {name}", function


def test_functions_are_short():
    assert {name for name, function in all_functions() if lines(function) > MOST_LINES} == LONG


def test_functions_take_few_arguments():
    found = {name for name, function in all_functions() if arguments(function) > MOST_ARGUMENTS}
    assert found == OPTIONS | COMPILED


# One meaning and one value, in compiled modules that cannot share it, or parameters of types.
SHARED = {"EPS", "S", "T", "LEAST_EDGE", "NEAR_THRESHOLD"}
# Of solvers whose loops are being joined.
JOINED = {"training/dual_side.py", "training/exact_fit.py", "training/certify.py", "estimators/"}


def constants_and_classes():
    source = Path(ng.__file__).parent
    for path in sorted(source.rglob("*.py")):
        place = path.relative_to(source).as_posix()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign):
                names = [
                    name.id for name in ast.walk(node.targets[0]) if isinstance(name, ast.Name) and name.id.isupper()
                ]
            else:
                names = [node.name] if isinstance(node, ast.ClassDef) else []
            yield from ((name, place) for name in names)


def test_a_name_has_one_meaning():
    places = {}
    for name, place in constants_and_classes():
        if not place.startswith(tuple(JOINED)):
            places.setdefault(name, []).append(place)
    assert {name: found for name, found in places.items() if len(found) > 1 and name not in SHARED} == {}
