"""Unit tests of the console's modules without DOM, run in the browser."""

import pathlib

from console import ConsoleTest

UNITS = pathlib.Path(__file__).parent / "units"


class UnitTests(ConsoleTest):
    def run_file(self, name):
        def answer(route):
            path = UNITS / route.request.url.rsplit("/", 1)[1]
            if path.suffix == ".js":
                route.fulfill(path=path, content_type="text/javascript")
            else:
                route.fulfill(body="<!doctype html><title>Units</title>", content_type="text/html")

        self.page.route("**/ui/units/*", answer)
        self.page.goto("/ui/units/")
        failures = self.page.evaluate(
            """async name => {
                const { failures } = await import("/ui/units/check.js");
                return failures((await import(`/ui/units/${name}`)).default);
            }""", name)
        self.assertEqual(failures, [])


def test_of(path):
    def test(self):
        self.run_file(path.name)
    test.__doc__ = f"The units of {path.stem} do what they say"
    return test


for path in sorted(UNITS.glob("*.js")):
    if path.stem != "check":
        setattr(UnitTests, f"test_{path.stem}", test_of(path))
