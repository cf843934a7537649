"""The documentation at /docs/: its examples, which are run as they are, and the operations, which are tried out."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import expect

from console import CHECKOUT, ConsoleTest, NARROW, NARROWEST, SCREENSHOTS, Shared, WIDE

PATCH = "#operations-campaigns-changeCampaign"
LANGUAGES = {"curl": "curl", "javascript": "JavaScript", "python": "Python"}
# The output of each example, in any language, for a list of 45 campaigns, of which 2 are of this spring.
PRINTED = {
    "pages": lambda text: len(re.findall("Campaign [0-9]+", text)) == 43 and len(re.findall("Spring [AB]", text)) == 2,
    "filters": lambda text: "Spring A" in text and "Spring B" in text and "Campaign" not in text,
    "creating": lambda text: re.search(r"[\"']?is_active[\"']?: ?[Tt]rue", text) and "Spring" in text,
    "changing": lambda text: text.index("200") < text.index("412") and "Summer" in text,
    "errors": lambda text: "422" in text and "name must have 1 to 255 characters." in text and "is_active must be true or false." in text,
}
MEASURE = """() => {
    const files = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const sum = list => list.reduce((total, one) => total + one.transferSize, 0);
    return { files: files.length, wire: sum(files), swagger: sum(files.filter(one => one.name.includes("/swagger-ui/"))) };
}"""


class DocsTests(ConsoleTest):
    def open_docs(self, page=None):
        page = self.open("/docs/", page)
        expect(page.locator(".opblock").first).to_be_visible()
        return page

    def operation(self, identifier=PATCH):
        """Opens an operation, and its "Try it out" mode."""
        self.page.locator(f"{identifier} .opblock-summary-control").click()
        self.page.locator(f"{identifier} .try-out__btn").click()
        return self.page.locator(identifier)

    def run_example(self, language, code):
        if language == "javascript":
            return self.page.evaluate(
                "async code => { const lines = [], kept = console.log; console.log = (...all) => lines.push(all.map(one => "
                "typeof one === 'object' ? JSON.stringify(one) : one).join(' ')); try { await eval(`(async () => {${code}\\n})()`); } "
                "finally { console.log = kept; } return lines.join('\\n'); }", code)
        program = ["bash", "-euo", "pipefail", "-c"] if language == "curl" else [sys.executable, "-I", "-c"]
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([*program, code], cwd=folder, capture_output=True, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    # The guide

    def test_examples(self):
        """Each example, in curl, JavaScript and Python, runs as it is and prints the expected output"""
        self.allows_errors = True  # Two of the examples are about errors.
        self.open_docs()
        run = 0
        for topic in self.page.locator(".topic").all():
            for language in LANGUAGES:
                self.stack.refill([{"name": f"Campaign {number}"} for number in range(43)] + [{"name": "Spring A"}, {"name": "Spring B"}])
                name = topic.get_attribute("id")
                code = topic.locator(f"[data-language={language}] code").text_content()
                with self.subTest(topic=name, language=language):
                    self.assertIn(self.stack.url + "/campaigns/", code)
                    printed = self.run_example(language, code)
                    self.assertTrue(PRINTED[name](printed), printed)
                    run += 1
        self.assertEqual(run, len(PRINTED) * len(LANGUAGES))

    def test_failing_examples(self):
        """The examples in curl fail on errors: they show no old page, print the error, and send a rejected request once"""
        self.open_docs()
        pages, creating = (self.page.locator(f"#{topic} [data-language=curl] code").text_content() for topic in ("pages", "creating"))
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "page.json").write_text("old")
            shell = {"cwd": folder, "capture_output": True, "text": True, "timeout": 30}
            done = subprocess.run(["sh", "-c", pages.replace(self.stack.url, "http://127.0.0.1:1")], **shell)
            self.assertEqual((done.returncode, done.stdout), (7, ""))
            began = time.monotonic()
            done = subprocess.run(["sh", "-c", creating.replace('"Spring"', '""')], **shell)
            self.assertEqual(done.returncode, 22)
            self.assertIn("name must have 1 to 255 characters.", done.stdout)
            self.assertLess(time.monotonic() - began, 0.9)

    def test_languages(self):
        """One language is shown at a time; the choice is remembered, and an example can be copied"""
        page = self.open_docs()
        figures = page.locator("#pages figure:visible figcaption")
        expect(figures).to_contain_text(["curl"])
        page.get_by_role("radio", name="Python").check(force=True)
        expect(figures).to_contain_text(["Python"])
        page.reload()
        expect(figures).to_contain_text(["Python"])
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        copy = page.locator("#pages figure:visible").get_by_role("button", name="Copy")
        copy.click()
        expect(page.locator("#pages figure:visible .copy")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        self.assertEqual(copied, page.locator("#pages [data-language=python] code").text_content())

    def test_statuses(self):
        """The table explains every error of the contract, and nginx's own errors"""
        # There are more with API keys.
        contract = json.load(Shared.stack("keys").ask("GET", "/openapi.json"))
        named = {code for path in contract["paths"].values() for operation in path.values() for code in operation["responses"]}
        titles = re.search(r"map \$status \$api_error_title \{(.*?)\}", (CHECKOUT / "nginx/http.conf").read_text(), re.DOTALL).group(1)
        expected = {code for code in named if code >= "400"} | set(re.findall(r"^\s*([45]\d+) ", titles, re.MULTILINE))
        codes = self.open_docs().locator(".statuses .code").all_inner_texts()
        self.assertEqual(codes, sorted(expected))

    def test_ways(self):
        """The console links to the documentation, and back"""
        self.fill_with("Alpha")
        page = self.open_list()
        page.get_by_role("navigation", name="Main").get_by_role("link", name="API").click()
        expect(page.get_by_role("heading", name="Campaign API")).to_be_visible()
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Campaigns").click()
        expect(self.rows()).to_have_count(1)

    def test_addresses(self):
        """A URL leads to a section of the page, or opens an operation; opening an operation changes the URL"""
        self.open("/docs/#errors")
        expect(self.page.locator(".opblock").first).to_be_visible()
        self.assertEqual(self.page.evaluate("location.hash"), "#errors")
        expect(self.page.get_by_role("heading", name="Handle errors")).to_be_in_viewport()
        for language in ("curl", "Python"):
            self.page.get_by_role("radio", name=language).check(force=True)
            self.open("about:blank")
            self.open("/docs/#reference")
            expect(self.page.locator(".opblock").first).to_be_visible()
            self.page.wait_for_timeout(300)
            top = self.page.get_by_role("heading", name="All operations").evaluate("heading => heading.getBoundingClientRect().top")
            self.assertLess(abs(top - 100), 50)
        page = self.open_browser()
        self.open("/docs/#/campaigns/getCampaign", page)
        expect(page.locator("#operations-campaigns-getCampaign.is-open")).to_be_in_viewport()
        page.locator("#operations-service-getHealth .opblock-summary-control").click()
        expect(page.locator("#operations-service-getHealth.is-open")).to_be_visible()
        self.assertEqual(page.evaluate("location.hash"), "#/service/getHealth")

    # The operations

    def test_try_it_out(self):
        """"Try it out" changes a campaign through nginx, and shows the response"""
        [identifier] = self.fill_with("Alpha")
        self.open_docs()
        operation = self.operation()
        operation.locator("[data-param-name=id] input").fill(str(identifier))
        operation.get_by_role("textbox", name="Body of the request").fill('{"name": "Beta"}')
        self.button("Execute").click()
        answer = operation.locator(".live-responses-table")
        expect(answer.locator(".response-col_status").last).to_contain_text("200")
        expect(answer.locator(".response-col_description").last).to_contain_text('"name": "Beta"')
        self.assertEqual(self.stack.campaign(identifier)["name"], "Beta")

    def test_optional(self):
        """By default, an operation that is tried out sends no optional parameters"""
        self.fill_with("Alpha")
        self.open_docs()
        self.operation("#operations-campaigns-listCampaigns")
        with self.page.expect_request("**/campaigns/*") as asked:
            self.button("Execute").click()
        self.assertEqual(asked.value.url, self.stack.url + "/campaigns/")
        self.assertNotIn("prefer", asked.value.headers)

    def test_missing(self):
        """Without Swagger UI the guide is shown, and one sentence says what to run"""
        self.intercept("**/docs/swagger-ui/**", lambda route: route.fulfill(status=404))
        self.allows_errors = True
        page = self.open("/docs/")
        expect(page.locator("#swagger")).to_contain_text("run scripts/dev swagger-ui")
        expect(page.locator("#pages pre:visible")).to_contain_text(self.stack.url)

    # Both

    def test_looks(self):
        """axe-core finds no violations on /docs/, in light and dark, at 1280 and 390 pixels, nor in an operation that is tried out"""
        [identifier] = self.fill_with("Spring sale, Nordics")
        for scheme in ("light", "dark"):
            for width, viewport in ((1280, WIDE), (390, NARROW)):
                self.page = self.open_browser(viewport, color_scheme=scheme, has_touch=width == 390)
                self.open_docs()
                self.look("docs", f"{width}-{scheme}", full_page=True)
                operation = self.operation()
                operation.locator("[data-param-name=id] input").fill(str(identifier))
                self.look("docs-operation", f"{width}-{scheme}")
                self.button("Execute").click()
                expect(operation.locator(".live-responses-table")).to_be_visible()
                operation.get_by_role("tab", name="Schema").first.click()
                self.page.locator(".models-control").click()
                self.page.locator(".models .json-schema-2020-12-accordion").first.click()
                operation.locator(".live-responses-table").scroll_into_view_if_needed()
                self.look("docs-answer", f"{width}-{scheme}")
                self.open_docs()
                for identifier_of in ("listCampaigns", "createCampaign"):
                    self.operation(f"#operations-campaigns-{identifier_of}")
                self.button("Execute").first.click()
                expect(self.page.locator(".live-responses-table")).to_be_visible()
                self.look("docs-list", f"{width}-{scheme}")

    def test_reflow(self):
        """The page needs no horizontal scrolling at 320 pixels, nor does an operation that is tried out"""
        [identifier] = self.fill_with("W" * 255)
        self.page = self.open_browser(NARROWEST, has_touch=True)
        for language in LANGUAGES:
            self.open_docs()
            self.page.locator(f"input[name=language][value={language}]").check(force=True)
            self.assert_reflow(language)
        self.page.screenshot(path=SCREENSHOTS / "docs-320.png", full_page=True)
        operation = self.operation()
        operation.locator("[data-param-name=id] input").fill(str(identifier))
        self.button("Execute").click()
        expect(operation.locator(".live-responses-table")).to_be_visible()
        operation.get_by_role("tab", name="Schema").first.click()
        self.page.locator(".models-control").click()
        self.page.locator(".models .json-schema-2020-12-accordion").first.click()
        self.page.screenshot(path=SCREENSHOTS / "docs-answer-320.png", full_page=True)
        self.assert_reflow("operation")

    def look(self, state, suffix, **options):
        self.page.screenshot(path=SCREENSHOTS / f"{state}-{suffix}.png", **options)
        with self.subTest(state=state, look=suffix):
            self.assertEqual(self.violations(), [])
            self.assertLessEqual(*self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]"))

    def test_skip_link(self):
        """The skip link skips the header, also after Swagger UI has loaded"""
        self.open_docs()
        self.page.keyboard.press("Tab")
        self.page.keyboard.press("Enter")
        expect(self.page.locator("main")).to_be_focused()

    def test_weight(self):
        """The documentation transfers less than 550 KB, nearly all of it Swagger UI, which a second visit does not request"""
        self.open_docs()
        self.page.wait_for_timeout(500)
        first = self.page.evaluate(MEASURE)
        self.open_docs()
        self.page.wait_for_timeout(500)
        again = self.page.evaluate(MEASURE)
        print(f"docs, weight: {first['files']} files, {first['wire']} bytes over the wire ({first['swagger']} of them Swagger UI); again: {again['wire']} bytes")
        self.assertLess(first["wire"], 550_000)
        self.assertLess(first["wire"] - first["swagger"], 50_000)
        self.assertEqual(again["swagger"], 0)

    def test_time(self):
        """The operations can be opened within three seconds, even on a shared machine"""
        times = []
        for _ in range(3):
            page = self.open_browser()
            page.add_init_script("""new MutationObserver((_, observer) => {
                if (document.querySelector(".opblock"))
                    requestAnimationFrame(() => { window.interactive ??= performance.now(); observer.disconnect(); });
            }).observe(document, { childList: true, subtree: true })""")
            self.open_docs(page)
            page.wait_for_function("window.interactive")
            times.append(round(page.evaluate("window.interactive")))
        paint = round(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        print(f"docs, time: interactive after {times} ms in a new browser, the first paint after {paint} ms")
        self.assertLess(min(times), 3000)
