"""Pages in a real browser, at the widths of a desk and of a phone: nothing overflows, complains or is loaded."""

import json
import re
import shutil
import subprocess

import pytest

import neuralgauge as ng

pytest.importorskip("jinja2")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

WIDTHS = (1280, 390)
# Looks into each page from a page beside it, for in the page itself no script runs.
WATCH = r"""<!doctype html><title>watch</title><body>%s<pre id="found"></pre><script>
const parts = colour => colour.match(/[0-9.]+/g).map(Number);
const light = colour => {
  const [r, g, b] = parts(colour).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const behind = element => {
  for (let one = element; one; one = one.parentElement) {
    const colour = one.ownerDocument.defaultView.getComputedStyle(one).backgroundColor;
    if (!/rgba\(.*, 0\)|color\(/.test(colour)) return colour;
  }
};
// The contrast of text with what is behind it, as WCAG 2 defines it.
const contrast = element => {
  const style = element.ownerDocument.defaultView.getComputedStyle(element);
  const text = light(element.matches("svg text") ? style.fill : style.color), ground = light(behind(element));
  return (Math.max(text, ground) + .05) / (Math.min(text, ground) + .05);
};
window.onload = () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, root = page.documentElement;
    const wide = [...page.querySelectorAll("svg text")].filter(text => {
      const box = text.getBoundingClientRect(), card = text.closest("figure").getBoundingClientRect();
      return box.left < card.left || box.right > card.right;
    });
    return {
      name: frame.name, width: root.clientWidth, content: root.scrollWidth,
      loaded: frame.contentWindow.performance.getEntriesByType("resource").map(one => one.name),
      cut: wide.map(one => one.textContent), styled: getComputedStyle(page.querySelector("h1")).fontSize,
      ground: light(behind(page.body)),
      faint: [...page.querySelectorAll("h1, h2, h3, p, a, th, td, dt, dd, li, caption, strong, code, text, .number")]
        .filter(one => contrast(one) < 4.5).map(one => one.outerHTML.slice(0, 80)),
    };
  });
  document.getElementById("found").textContent = JSON.stringify(found);
};
</script>"""


@pytest.fixture
def watch(tmp_path):
    """What the browser finds in pages, and what it says on its console."""

    def call(pages, *more):
        frames = []
        for name, html in pages.items():
            file = f"{name.replace(' ', '-')}.html"
            (tmp_path / file).write_text(html, encoding="utf-8")
            frames += [
                f'<iframe src="{file}" name="{name} {width}" width="{width}" height="800"></iframe>' for width in WIDTHS
            ]
        (tmp_path / "watch.html").write_text(WATCH % "".join(frames), encoding="utf-8")
        switches = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--allow-file-access-from-files", "--enable-logging=stderr", "--virtual-time-budget=10000",
            f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", *more,
        ]  # fmt: skip
        command = [BROWSER, *switches, (tmp_path / "watch.html").as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
        return json.loads(found[1]), [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return call


def test_pages_fit_load_nothing_and_leave_the_console_empty(watch, cases):
    found, console = watch({name: ng.report(*case).html for name, case in cases.items()})
    assert len(found) == len(cases) * len(WIDTHS)
    assert console == []
    for page in found:
        assert page["content"] <= page["width"], page
        assert page["width"] >= 350
        assert page["loaded"] == []
        assert page["cut"] == []
        assert page["faint"] == []
        assert page["ground"] > 0.8
        assert float(page["styled"].removesuffix("px")) > 26.0


def test_pages_are_legible_in_dark_mode(watch, cases):
    pages = {name: ng.report(*cases[name]).html for name in ("regression", "three classes")}
    found, console = watch(pages, "--blink-settings=preferredColorScheme=0")
    assert console == []
    for page in found:
        assert page["ground"] < 0.02
        assert page["faint"] == []


def test_the_browser_would_see_what_is_wrong(watch, cases):
    html = ng.report(*cases["empty"]).html
    wide = html.replace("<main", '<div style="width: 2000px">wide</div><main')
    loading = html.replace("<main", '<img src="https://example.invalid/x.png" alt=""><main')
    faint = html.replace("<main", '<p style="color: #999">faint</p><main')
    found, console = watch({"wide": wide, "loading": loading, "faint": faint})
    assert all(page["content"] >= 2000 for page in found[:2])
    assert all(len(page["faint"]) == 1 for page in found[4:])
    assert any("example.invalid" in line and "Content Security Policy" in line for line in console)
