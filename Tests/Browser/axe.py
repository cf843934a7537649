"""What axe-core finds wrong with a page."""

import pathlib

import axe_playwright_python

AXE = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}


def violations(page):
    # What moves is looked at where it comes to rest.
    page.evaluate("document.getAnimations().forEach(one => one.playState === 'running' && one.effect.getTiming().iterations === 1 && one.pause())")
    page.evaluate(AXE + "; undefined")
    found = page.evaluate("options => axe.run(options)", OPTIONS)["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:150]} {rule['nodes'][0]['failureSummary'][:300]}" for rule in found]
