"""Shared by the tests of the console: a browser, a stack, and checks for what must never happen."""

import os
import pathlib
import re
import unittest

import axe_playwright_python
from playwright.sync_api import Page, expect, sync_playwright

from stack import CHECKOUT, Stack

SCREENSHOTS = CHECKOUT / ".local/screenshots"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
# The width of 1280 pixels at 400 % zoom (WCAG 2.2, 1.4.10).
NARROWEST = {"width": 320, "height": 640}
AXE = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
# The browser logs error responses to its console. Tests that cause some must allow them.
ERROR_RESPONSE = re.compile(r"Failed to load resource: (the server responded with a status of (401|403|404|412|422|503|504)|net::ERR_FAILED)")


class Shared:
    """One browser for all tests, which run sequentially, and one stack for each kind of authentication."""

    stacks = {}
    browser = None

    @classmethod
    def start(cls):
        cls.playwright = sync_playwright().start()
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        cls.browser = cls.playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    @classmethod
    def stop(cls):
        if cls.browser:
            cls.browser.close()
            cls.playwright.stop()
        for stack in cls.stacks.values():
            stack.close()

    @classmethod
    def stack(cls, auth):
        if auth not in cls.stacks:
            cls.stacks[auth] = Stack(auth)
        return cls.stacks[auth]


class ConsoleTest(unittest.TestCase):
    """A test with its own browser context, which fails if there were errors in the console."""

    allows_errors = False
    auth = "off"

    def setUp(self):
        self.stack = Shared.stack(self.auth)
        self.contexts = []
        self.troubles = []
        self.page = self.open_browser()

    def tearDown(self):
        for context in self.contexts:
            for page in context.pages:
                page.unroute_all(behavior="ignoreErrors")
            context.close()
        self.assertEqual(self.troubles, [])

    def open_browser(self, viewport=WIDE, **options) -> Page:
        """Opens a new browser context, which is independent of others, like the browser of another user."""
        options = {"reduced_motion": "reduce", "base_url": self.stack.url, "viewport": viewport} | options
        context = Shared.browser.new_context(**options)
        context.set_default_timeout(5000)
        context.add_init_script("addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))")
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", self.note)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", self.check_host)
        return page

    def note(self, message):
        if message.type not in ("error", "warning"):
            return
        if not (self.allows_errors and ERROR_RESPONSE.match(message.text)):
            self.troubles.append(message.text)

    def check_host(self, request):
        if not request.url.startswith((self.stack.url + "/", f"blob:{self.stack.url}/")):
            self.troubles.append(f"a request to {request.url}")

    def intercept(self, where, handler, **options):
        """Handles requests in place of the service. Chromium does not intercept the first ones after interception was switched on,
        so a probe is repeated until it is intercepted."""
        self.page.route(where, handler, **options)
        if not self.page.url.startswith(self.stack.url):
            return
        self.page.route("**/healthz", lambda route: route.fulfill(status=204))
        for _ in range(100):
            if self.page.evaluate("fetch('/healthz').then(({ status }) => status, () => 0)") == 204:
                return
        self.fail("requests are not intercepted")

    def hold(self, method, path):
        """Holds requests back until they are continued or aborted. They are appended to the returned list."""
        held = []
        self.intercept(f"**{path}", lambda route: held.append(route) if route.request.method == method else route.fallback())
        return held

    def refuse(self, method, path, status=503, message="The service is not available. Try again in a moment."):
        """Responds to requests with an error."""
        answer = lambda route: route.fulfill(status=status, json={"message": message})
        self.intercept(f"**{path}", lambda route: answer(route) if route.request.method == method else route.fallback())

    def wait_for(self, held):
        """Waits for the first request that is held back."""
        for _ in range(100):
            if held:
                return held[0]
            self.page.wait_for_timeout(20)
        self.fail("there was no request")

    # Actions and queries of tests

    def fill_with(self, *names, **fields):
        return self.stack.refill([{"name": name} | fields for name in names])

    def open(self, path="/ui/", page=None):
        (page or self.page).goto(path)
        return page or self.page

    def open_list(self, path="/ui/", page=None):
        page = self.open(path, page)
        expect(self.rows(page).first).to_be_visible()
        return page

    def sign_in(self, key, page=None):
        field = (page or self.page).get_by_label("API key")
        field.fill(key)
        field.press("Enter")

    def rows(self, page=None):
        return (page or self.page).locator("tbody tr[data-id]")

    def row(self, name, page=None):
        return self.rows(page).filter(has_text=name)

    def names(self, page=None):
        return (page or self.page).locator("tbody .name a").all_inner_texts()

    def expect_names(self, *names, page=None):
        expect((page or self.page).locator("tbody .name a")).to_have_text(list(names))

    def button(self, name, page=None, exact=True):
        return (page or self.page).get_by_role("button", name=name, exact=exact)

    def toast(self, text, page=None):
        return (page or self.page).locator(".toast").filter(has_text=text)

    def assert_reflow(self, state):
        """Checks that the page does not need horizontal scrolling."""
        with self.subTest(state=state):
            self.assertLessEqual(*self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]"))

    def focused(self, page=None):
        return (page or self.page).locator("*:focus")

    def violations(self):
        """The violations that axe-core finds, one line per rule."""
        # Animated elements are checked in their final state.
        self.page.evaluate("document.getAnimations().forEach(one => one.playState === 'running' && one.effect.getTiming().iterations === 1 && one.pause())")
        self.page.evaluate(AXE + "; undefined")
        options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
        found = self.page.evaluate("options => axe.run(options)", options)["violations"]
        return [f"{rule['id']}: {rule['nodes'][0]['html'][:150]} {rule['nodes'][0]['failureSummary'][:300]}" for rule in found]


def sentence(test):
    return test.shortDescription() or test.id()
