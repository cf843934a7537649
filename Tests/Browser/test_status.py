"""The status page, while the service is busy, idle, slow, down, and recovering."""

import contextlib
import re
import signal
import subprocess
import threading
import time
import urllib.error

from playwright.sync_api import expect

from console import CHECKOUT, ConsoleTest, NARROW, NARROWEST, SCREENSHOTS, WIDE


class StatusTests(ConsoleTest):
    allows_errors = True

    def tearDown(self):
        if self.stack.api.poll() is not None:
            self.stack.start_api()
        super().tearDown()

    def open_status(self, page=None):
        page = self.open("/status", page)
        expect(page.locator("#workers tr td:nth-child(8)").first).to_be_visible()
        return page

    def figure(self, name, part="value"):
        return self.page.locator(f"[data-figure={name}] .{part}")

    def fact(self, term):
        return self.page.locator(".facts > div").filter(has=self.page.get_by_text(term, exact=True)).locator("dd")

    def expect_headline(self, text, **options):
        expect(self.page.get_by_role("status")).to_contain_text(text, **options)

    def pids(self):
        return self.page.locator("#workers td:first-child").all_inner_texts()

    # Contents

    def test_shows(self):
        """A browser that opens /status shows the workers of the running service"""
        self.open_status()
        self.expect_headline("All is well.")
        children = subprocess.run(["pgrep", "-P", str(self.stack.api.pid)], capture_output=True, text=True).stdout.split()
        self.assertEqual(self.pids(), children)
        expect(self.fact("Workers")).to_have_text("1 of 1")
        expect(self.fact("Database")).to_have_text("reachable")
        expect(self.page.locator("#requests")).to_contain_text("None at the moment.")
        for name in ("Workers", "Requests in flight", "Service", "Worker restarts", "Reloads"):
            expect(self.page.get_by_role("heading", name=name, exact=True)).to_be_visible()

    def test_machines(self):
        """Clients that do not accept HTML get the master's JSON, and so do browsers with a query string"""
        answer = self.stack.ask("GET", "/status")
        self.assertTrue(answer.read().startswith(b'{"pool":"aktify"'))
        self.open("/status?full")
        expect(self.page.locator("body")).to_contain_text('"requests in flight"')

    def test_updates(self):
        """Requests appear in the rate, the latency and the failures, and in the row of their worker"""
        self.fill_with("Alpha")
        self.open_status()
        before = int(self.page.locator("#workers td:nth-child(5)").inner_text().replace(",", ""))
        for _ in range(40):
            self.stack.campaigns()
        expect(self.figure("requests")).not_to_have_text(re.compile("^(–|0)$"), timeout=8000)
        expect(self.figure("latency")).to_have_text(re.compile("s$"))
        expect(self.figure("failures")).to_have_text("0%")
        expect(self.page.locator(".line polyline").first).to_be_attached()
        after = int(self.page.locator("#workers td:nth-child(5)").inner_text().replace(",", ""))
        self.assertGreaterEqual(after, before + 40)

    def test_in_flight(self):
        """A request that waits for a lock is listed, with its query and duration, until it is finished"""
        self.fill_with("Alpha")
        self.open_status()
        with Lock(self.stack):
            asking = threading.Thread(target=self.ask_patiently)
            asking.start()
            row = self.page.locator("#requests tr").filter(has_text="GET /campaigns/")
            expect(row).to_contain_text("in query SELECT")
            expect(self.figure("active")).to_have_text("1")
        asking.join()
        expect(self.page.locator("#requests")).to_contain_text("None at the moment.")

    def ask_patiently(self):
        """Holds a lock on the table; the statement timeout is two seconds, after which requests fail."""
        with contextlib.suppress(urllib.error.HTTPError):
            self.stack.campaigns()

    # Failures

    def test_outage(self):
        """While the master is down, the page shows that, keeps the last data, and recovers afterwards"""
        self.open_status()
        old = self.pids()
        self.stack.stop_api()
        self.expect_headline("The status is unavailable.", timeout=8000)
        expect(self.page.get_by_role("status")).to_contain_text("nginx responded with 503")
        self.assertEqual(self.pids(), old)
        self.stack.start_api()
        self.expect_headline("All is well.", timeout=8000)
        self.assertNotEqual(self.pids(), old)
        expect(self.page.locator("#readings")).not_to_have_class(re.compile("old"))

    def test_no_nginx(self):
        """While nginx does not respond, the page shows that, and recovers afterwards"""
        self.open_status()
        self.intercept("**/status?*", lambda route: route.abort())
        self.expect_headline("No response.", timeout=8000)
        self.page.unroute("**/status?*")
        self.expect_headline("All is well.", timeout=8000)

    def test_crash(self):
        """A killed worker is reported, and so is its replacement"""
        self.open_status()
        [old] = self.pids()
        crashed = int(self.fact("Crashed").inner_text())
        subprocess.run(["kill", "-KILL", old], check=True)
        expect(self.fact("Crashed")).to_have_text(str(crashed + 1), timeout=8000)
        expect(self.page.locator("#workers td:first-child")).not_to_have_text(old)
        self.open_status()
        self.expect_headline("Workers were replaced in the last minutes: ", timeout=8000)
        self.expect_headline("crashed and 0 got stuck in total.")
        self.stack.stop_api()

    def test_reload(self):
        """A reload is reported, with its outcome"""
        self.open_status()
        generation = int(self.fact("Generation").inner_text())
        self.stack.api.send_signal(signal.SIGHUP)
        expect(self.fact("Generation")).to_have_text(str(generation + 1), timeout=8000)
        expect(self.fact("Last outcome")).to_have_text("done", timeout=8000)

    def test_live(self):
        """Screen readers announce changes of the state, and not of numbers"""
        self.open_status()
        self.page.evaluate("""() => {
            window.changes = 0;
            new MutationObserver(() => window.changes++).observe(
                document.querySelector("[role=status]"), { subtree: true, childList: true, characterData: true });
        }""")
        when = self.page.locator("#when").inner_text()
        expect(self.page.locator("#when")).not_to_have_text(when, timeout=8000)
        self.assertEqual(self.page.evaluate("window.changes"), 0)

    # Polling

    def test_pause(self):
        """The page does not poll while it is paused or hidden"""
        self.open_status()
        asked = []
        self.page.on("request", lambda request: asked.append(request.url))
        self.button("Pause").click()
        self.page.wait_for_timeout(300)
        asked.clear()
        self.page.wait_for_timeout(3000)
        self.assertEqual(asked, [])
        self.button("Pause").click()
        self.page.wait_for_timeout(500)
        self.assertEqual(len(asked), 2)
        self.hide(True)
        self.page.wait_for_timeout(300)
        asked.clear()
        self.page.wait_for_timeout(3000)
        self.assertEqual(asked, [])
        self.hide(False)
        self.page.wait_for_timeout(500)
        self.assertEqual(len(asked), 2)

    def hide(self, isHidden):
        self.page.evaluate("""isHidden => {
            Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""", isHidden)

    # Appearance

    def test_looks(self):
        """axe-core finds no violations in any state, in light and dark, at 1280 and 390 pixels"""
        self.fill_with("Alpha")
        for scheme in ("light", "dark"):
            for width, viewport in ((1280, WIDE), (390, NARROW)):
                self.page = self.open_browser(viewport, color_scheme=scheme, has_touch=width == 390)
                self.look_at_all(f"{width}-{scheme}")

    def test_reflow(self):
        """The page needs no horizontal scrolling at 320 pixels, also while it is paused or there is no response"""
        self.page = self.open_browser(NARROWEST, has_touch=True)
        self.open_status()
        self.page.screenshot(path=SCREENSHOTS / "status-320.png", full_page=True)
        self.assert_reflow("status")
        self.intercept("**/status?*", lambda route: route.fulfill(status=503, body="{}"))
        self.expect_headline("The status is unavailable.", timeout=8000)
        self.assert_reflow("status-down")

    def look_at_all(self, suffix):
        self.open_status()
        for count in (30, 90, 60):
            for _ in range(count):
                self.stack.campaigns()
            time.sleep(1)
            self.page.wait_for_timeout(1300)
        with Lock(self.stack):
            askers = [threading.Thread(target=self.ask_patiently) for _ in range(3)]
            for asker in askers:
                asker.start()
            expect(self.page.locator("#requests tr").filter(has_text="in query")).not_to_have_count(0)
            self.look("status", suffix)
        for asker in askers:
            asker.join()
        self.intercept("**/status?*", lambda route: route.fulfill(status=503, body="{}"))
        self.expect_headline("The status is unavailable.", timeout=8000)
        self.look("status-down", suffix)

    def look(self, state, suffix):
        self.page.screenshot(path=SCREENSHOTS / f"{state}-{suffix}.png", full_page=True)
        with self.subTest(state=state, look=suffix):
            self.assertEqual(self.violations(), [])
            self.assertLessEqual(*self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]"))

    def test_modules(self):
        """The page preloads all its modules, so that they load in parallel"""
        folder = CHECKOUT / "nginx/www/ui"
        named = set(re.findall(r'/ui/(js/[a-z/]+\.js)', (folder / "status.html").read_text()))
        needed, left = set(), ["js/status/page.js"]
        while left:
            module = left.pop()
            needed.add(module)
            imported = re.findall(r'^import .*"(\.+/[a-z]+\.js)"', (folder / module).read_text(), re.MULTILINE)
            paths = {str((folder / module).parent.joinpath(path).resolve().relative_to(folder)) for path in imported}
            left += paths - needed
        self.assertEqual(named, needed)


class Lock:
    """Blocks all reads of the campaigns, until it is released."""

    def __init__(self, stack):
        self.command = ["psql", "-h", stack.environment["POSTGRES_HOST"], "-U", "postgres", "-X", "-q", "postgres"]

    def __enter__(self):
        self.psql = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.psql.stdin.write("BEGIN; LOCK TABLE campaign; SELECT 'locked';\n")
        self.psql.stdin.flush()
        while "locked" not in self.psql.stdout.readline():
            pass

    def __exit__(self, *_):
        self.psql.communicate("ROLLBACK;\n")
