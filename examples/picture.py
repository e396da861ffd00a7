"""Draw the picture of the README and of the documentation's first page: the first example of the gallery, as SVG."""

import runpy
from pathlib import Path

import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]

plt.switch_backend("Agg")
plt.rcParams["svg.hashsalt"] = "neuralgauge"  # the same file from the same picture

runpy.run_path(str(ROOT / "examples" / "gallery" / "plot_01_one_feature.py"))
plt.savefig(ROOT / "docs" / "picture.svg", metadata={"Date": None}, facecolor="white")
