"""Settings of the documentation site, which `make docs` builds without the network."""

import re
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from pygments.lexers.special import TextLexer

import neuralgauge

project = "neuralgauge"
author = "the authors of neuralgauge"
copyright = "the authors of neuralgauge"
release = neuralgauge.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "auto_examples/*.ipynb", "auto_examples/*.py", "auto_examples/*.json"]
suppress_warnings = ["config.cache"]  # the settings hold functions, which are not kept between builds
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3

default_role = "py:obj"  # `name` in a docstring: a link where it is a public name, and else code
autosummary_generate = True
autodoc_typehints = "none"  # the sections of the docstrings say it in words
numpydoc_show_class_members = False  # the template of a class lists them
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "neuralgauge"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "neuralgauge"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_prev_next": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "pygments_light_style": "tango",
    "pygments_dark_style": "github-dark",
}

mathjax_path = "mathjax/tex-chtml.js"

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "min_reported_time": 20,
    "abort_on_example_error": True,
    "doc_module": ("neuralgauge",),
    "backreferences_dir": None,
    "image_scrapers": ("matplotlib",),
    "reset_modules": ("matplotlib",),
}


def copy_mathjax(app, error):
    """Put the MathJax of the package django-static-mathjax, which needs no Django, among the site's static files."""
    if error is None and app.builder.format == "html":
        with as_file(files("mathjax") / "static" / "mathjax" / "es5") as source:
            target = Path(app.outdir) / "_static" / "mathjax"
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / "tex-chtml.js", target)
            shutil.copytree(source / "output" / "chtml", target / "output" / "chtml", dirs_exist_ok=True)


AS_IT_IS = re.compile(r"(``.*?``|:[\w:]+:`.*?`|`.*?`|(?<![\w*])\*\w(?:[^*]*\w)?\*(?![\w*]))")


def escape_formulas(app, what, name, obj, options, lines):
    """Show `|u_j|`, `(m, *filter)` and `coef_` of plain-text formulas as they are, not as marks of reStructuredText."""
    text = re.sub(r":ref:`(.*?)\s*<.*?>`", r"\1", "\n".join(lines))  # labels of scikit-learn's site
    lines[:] = re.sub(r":ref:`(.*?)`", r"``\1``", text).split("\n")
    formula, example = None, False
    for index, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))
        if formula is not None and line.strip() and indent <= formula:
            formula = None
        if line.lstrip().startswith(".. math::"):
            formula = indent
        if formula is None and not example:
            parts = AS_IT_IS.split(line)
            parts[::2] = [re.sub(r"([|*]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
            lines[index] = "".join(parts)


def skip_machinery(app, what, name, obj, skip, options):
    """Leave out what scikit-learn adds to each estimator for routing metadata."""
    return True if name == "get_metadata_routing" or re.fullmatch(r"set_\w+_request", name) else None


def setup(app):
    """Tell Sphinx what to do with each docstring and after a build."""
    app.connect("autodoc-process-docstring", escape_formulas, priority=400)  # before numpydoc
    app.add_lexer("csv", TextLexer)
    app.connect("autodoc-skip-member", skip_machinery)
    app.connect("build-finished", copy_mathjax)
