"""The list: search, filter, sort order, pages, and empty states."""

import csv
import io
import json

from playwright.sync_api import expect

from console import ConsoleTest


class ListTests(ConsoleTest):
    def test_search(self):
        """Typing searches, shows the count, and is one entry of the browser history"""
        self.fill_with("Spring sale", "Spring mail", "Winter")
        self.open_list()
        expect(self.page.locator(".count")).to_have_text("3")
        self.page.get_by_role("searchbox").press_sequentially("spring", delay=250)
        self.expect_names("Spring sale", "Spring mail")
        expect(self.page.locator(".count")).to_have_text("2")
        expect(self.page.locator("#polite")).to_contain_text("2 campaigns")
        self.assertTrue(self.page.url.endswith("/ui/?q=spring"))
        self.page.go_back()
        self.expect_names("Spring sale", "Spring mail", "Winter")
        expect(self.page.get_by_role("searchbox")).to_have_value("")
        self.page.go_forward()
        self.expect_names("Spring sale", "Spring mail")
        expect(self.page.get_by_role("searchbox")).to_have_value("spring")

    def test_old_answers(self):
        """An older response that arrives after a newer one is not shown"""
        self.fill_with("Alpha", "Beta")
        self.open_list()
        late = []
        self.intercept(lambda url: "q=alpha" in url and "count" not in url, lambda route: late.append(route))
        box = self.page.get_by_role("searchbox")
        box.fill("alpha")
        self.page.wait_for_timeout(400)
        box.fill("beta")
        self.expect_names("Beta")
        self.assertEqual(len(late), 1)
        late[0].continue_()
        self.page.wait_for_timeout(300)
        self.expect_names("Beta")

    def test_debounce(self):
        """Quick typing is debounced to one request"""
        self.fill_with("Alpha")
        self.open_list()
        asked = []
        self.page.on("request", lambda request: "q=" in request.url and "count" not in request.url and asked.append(request.url))
        self.page.get_by_role("searchbox").press_sequentially("alpha", delay=20)
        self.expect_names("Alpha")
        self.page.wait_for_timeout(300)
        self.assertEqual(len([url for url in asked if "/campaigns/" in url]), 1)

    def test_filter_and_order(self):
        """The filter and the sort order are in the URL, which can be shared"""
        self.fill_with("Beta", "Alpha")
        self.stack.refill([{"name": "Beta"}, {"name": "Alpha"}, {"name": "Off", "is_active": False}])
        self.open_list()
        self.page.get_by_text("Active", exact=True).first.click()
        self.expect_names("Beta", "Alpha")
        self.button("Name").click()
        self.expect_names("Alpha", "Beta")
        expect(self.page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
        self.button("Name").click()
        self.expect_names("Beta", "Alpha")
        self.assertTrue(self.page.url.endswith("/ui/?active=true&sort=-name"))
        other = self.open_list(self.page.url, self.open_browser())
        self.expect_names("Beta", "Alpha", page=other)
        expect(other.get_by_role("radio", name="Active", exact=True)).to_be_checked()

    def test_pages(self):
        """Pages follow each other by cursor; back, forward and a shared link show the same page"""
        self.stack.refill([{"name": f"Campaign {number:03}"} for number in range(60)])
        self.open_list("/ui/?sort=name")
        expect(self.page.locator(".range")).to_have_text("25 of 60 campaigns")
        next_page = self.page.get_by_role("link", name="Next")
        next_page.click()
        expect(self.row("Campaign 025")).to_be_visible()
        expect(self.page.get_by_role("heading", name="Campaigns")).to_be_focused()
        next_page.click()
        expect(self.row("Campaign 059")).to_be_visible()
        self.assertEqual(len(self.names()), 10)
        expect(next_page).to_have_attribute("aria-disabled", "true")
        shared = self.page.url
        self.page.go_back()
        expect(self.row("Campaign 025")).to_be_visible()
        self.page.go_forward()
        expect(self.row("Campaign 059")).to_be_visible()
        self.page.get_by_role("link", name="Previous").click()
        expect(self.row("Campaign 025")).to_be_visible()
        self.page.get_by_role("link", name="First").click()
        expect(self.row("Campaign 000")).to_be_visible()
        other = self.open_list(shared, self.open_browser())
        expect(self.row("Campaign 059", other)).to_be_visible()
        # Only the browser that visited the previous page knows it.
        expect(other.get_by_role("link", name="Previous")).to_have_attribute("aria-disabled", "true")
        other.get_by_role("link", name="First").click()
        expect(self.row("Campaign 000", other)).to_be_visible()

    def test_nothing(self):
        """An empty list offers to create a campaign, and one that is empty because of a filter to clear the filter"""
        self.fill_with()
        self.open()
        expect(self.page.get_by_role("heading", name="No campaigns yet")).to_be_visible()
        self.fill_with("Alpha")
        self.open("/ui/?q=zzz")
        expect(self.page.get_by_role("heading", name="Nothing found")).to_be_visible()
        self.button("Clear the filter").click()
        self.expect_names("Alpha")

    def test_wrong_address(self):
        """For a URL that the service rejects, the first page is offered, or to clear the filter"""
        self.allows_errors = True
        self.fill_with("Alpha", "Beta")
        self.open("/ui/?q=alpha&cursor=zzz")
        self.button("Show the first page").click()
        self.expect_names("Alpha")
        self.assertTrue(self.page.url.endswith("/ui/?q=alpha"))
        self.open("/ui/?q=%00&sort=name")
        self.button("Clear the filter").click()
        self.expect_names("Alpha", "Beta")
        self.assertTrue(self.page.url.endswith("/ui/?sort=name"))

    def test_long_search(self):
        """A search is limited to the length of a name, so that its URL can be opened again"""
        self.fill_with("Alpha")
        self.open_list()
        box = self.page.get_by_role("searchbox")
        box.focus()
        self.page.keyboard.insert_text("ü" * 2500)
        expect(self.page.get_by_role("heading", name="Nothing found")).to_be_visible()
        self.page.wait_for_url("**/ui/?q=*")
        self.page.reload()
        expect(self.page.get_by_role("heading", name="Nothing found")).to_be_visible()
        expect(box).to_have_value("ü" * 255)
        self.open("/ui/?q=" + "a" * 2500)
        expect(self.page.get_by_role("heading", name="Nothing found")).to_be_visible()
        expect(box).to_have_value("a" * 255)

    def test_loading(self):
        """Placeholders are shown until the first response"""
        self.fill_with("Alpha")
        held = []
        self.intercept("**/campaigns/?*", lambda route: held.append(route))
        self.open()
        expect(self.page.locator("tr.skeleton")).to_have_count(8)
        expect(self.page.locator("table")).to_have_attribute("aria-busy", "true")
        for route in held:
            route.continue_()
        self.expect_names("Alpha")
        expect(self.page.locator("tr.skeleton")).to_have_count(0)

    def test_time(self):
        """Times are relative, with the exact time on hover"""
        self.fill_with("Alpha")
        self.page.clock.install()
        self.open_list()
        time = self.page.locator("tbody .updated relative-time")
        expect(time).to_have_text("just now")
        self.assertRegex(time.get_attribute("title"), r"\d\d? \w+ \d{4}, \d\d:\d\d:\d\d")
        self.page.clock.fast_forward("03:00")
        expect(time).to_have_text("3 minutes ago")

    def test_loading_overtaken(self):
        """The placeholders of a superseded response are removed"""
        [identifier, _] = self.fill_with("Alpha", "Beta")
        self.open(f"/ui/campaigns/{identifier}?q=alpha")
        expect(self.page.get_by_role("heading", name="Alpha")).to_be_visible()
        # Runs in the page, as fast as possible.
        self.page.evaluate("""() => {
            const ask = fetch;
            window.fetch = (url, options) =>
                url.includes("limit=25&") && url.includes("q=alpha")
                    ? new Promise((_, fail) => options.signal.addEventListener("abort", fail)) : ask(url, options);
            document.querySelector(".back").click();
            setTimeout(() => document.querySelector(".brand").click(), 20);
        }""")
        self.expect_names("Alpha", "Beta")
        self.page.wait_for_timeout(300)
        self.expect_names("Alpha", "Beta")
        expect(self.page.locator("tr.skeleton")).to_have_count(0)

    def test_back(self):
        """Back from another document, the list is up to date"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.page.wait_for_timeout(600)
        self.page.goto("/docs/")
        self.stack.change(identifier, name="Beta")
        self.page.go_back()
        self.expect_names("Beta")

    def test_unknown_count(self):
        """An unknown count is not shown, nor that of another filter"""
        self.allows_errors = True
        self.fill_with("Alpha", "Beta")
        self.open_list()
        range_, count = self.page.locator(".range"), self.page.locator(".count")
        expect(range_).to_have_text("2 of 2 campaigns")
        held = self.hold("GET", "/campaigns/*count=true*")
        self.page.get_by_role("searchbox").fill("beta")
        self.expect_names("Beta")
        expect(range_).to_have_text("")
        expect(count).to_have_text("")
        self.wait_for(held).abort()
        self.page.wait_for_timeout(100)
        expect(range_).to_have_text("")

    def test_last_page_emptied(self):
        """When nothing is left on the last page, the previous one is offered"""
        ids = self.stack.refill([{"name": f"Campaign {number:02}"} for number in range(27)])
        self.open_list("/ui/?sort=name")
        self.page.get_by_role("link", name="Next").click()
        self.expect_names("Campaign 25", "Campaign 26")
        address = self.page.url
        self.page.get_by_label("Select all on this page").click()
        self.button("Delete").click()
        expect(self.page.get_by_role("heading", name="Nothing is left on this page")).to_be_visible()
        self.button("Previous page").click()
        expect(self.rows()).to_have_count(25)
        self.assertTrue(self.page.url.endswith("/ui/?sort=name"))
        # A browser that has not visited the previous page gets the first one.
        self.stack.ask("DELETE", f"/campaigns/?id%5Bin%5D={ids[25]},{ids[26]}")
        other = self.open(address, self.open_browser())
        self.button("First page", other).click()
        expect(self.rows(other)).to_have_count(25)

    def test_export(self):
        """All campaigns that match the filter are exported, not only the page, as CSV and as JSON"""
        self.stack.refill([{"name": f"Spring {number}"} for number in range(60)] + [{"name": "Winter, \"cold\""}])
        self.open_list("/ui/?q=spring&sort=name")
        with self.page.expect_download() as download:
            self.button("Export as CSV").click()
        self.assertRegex(download.value.suggested_filename, r"^campaigns-\d{4}-\d\d-\d\d\.csv$")
        # Excel only recognizes UTF-8 by its byte order mark; the API's own response has none.
        with open(download.value.path(), "rb") as file:
            self.assertTrue(file.read().startswith(b"\xef\xbb\xbfcreated_on,"))
        with open(download.value.path(), newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["name"] for row in rows], sorted(f"Spring {number}" for number in range(60)))
        with self.page.expect_download() as download:
            self.button("Export as JSON").click()
        with open(download.value.path(), encoding="utf-8") as file:
            self.assertEqual(len(json.load(file)), 60)

    def test_history_of_details(self):
        """Back from the details view, the list is as before, with the focus on that campaign"""
        self.stack.refill([{"name": f"Campaign {number:03}"} for number in range(60)])
        self.open_list("/ui/?sort=name&q=campaign")
        self.page.get_by_role("link", name="Campaign 020").click()
        expect(self.page.get_by_role("heading", name="Campaign 020")).to_be_focused()
        self.page.go_back()
        expect(self.page.get_by_role("link", name="Campaign 020")).to_be_focused()
