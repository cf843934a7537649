"""The history of a campaign: who changed what and when, and how versions are restored."""

import itertools

from playwright.sync_api import expect

from console import NARROW, NARROWEST, Shared, WIDE
from test_keys import KeyTest

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>&amp;"


class HistoryTests(KeyTest):
    def changes(self, count):
        """Creates a campaign, and changes it a number of times."""
        [identifier] = self.fill_with("Name 0")
        for number in range(1, count + 1):
            self.stack.change(identifier, name=f"Name {number}")
        return identifier

    def open_history(self, identifier, role="editor", **options):
        name = self.open_as(role, f"/ui/campaigns/{identifier}", **options)
        expect(self.summaries().first).to_be_visible()
        return name

    def summaries(self):
        return self.page.locator(".history summary")

    def entry(self, index):
        """Opens a change."""
        entry = self.page.locator(".history li").nth(index)
        if entry.locator("details").get_attribute("open") is None:
            entry.locator("summary").click()
        return entry

    def test_changes(self):
        """The history shows who changed what and when, latest first, with the values before and after"""
        [identifier] = self.fill_with("Alpha", description="20 % off")
        key, name = self.new_key("editor")
        self.stack.change(identifier, key, name="Beta", description="")
        self.stack.change(identifier, is_active=False)
        self.open_history(identifier, "reader")
        expect(self.page.locator(".history .what")).to_have_text(["Changed: active", "Changed: name, description", "Created"])
        expect(self.page.locator(".history .author")).to_have_text(["key:the tests", f"key:{name}", "key:the tests"])
        expect(self.page.locator(".history time").first).to_have_text("just now")
        expect(self.entry(0).locator("dt, dd")).to_have_text(["Active", "Before: Active", "After: Inactive"])
        expect(self.entry(1).locator("dt, dd")).to_have_text(
            ["Name", "Before: Alpha", "After: Beta", "Description", "Before: 20 % off", "After: (empty)"])
        expect(self.entry(2).locator("dt, dd")).to_have_text(
            ["Name", "After: Alpha", "Description", "After: 20 % off", "Active", "After: Active"])
        expect(self.page.locator(".history").get_by_role("button")).to_have_count(0)

    def test_pages(self):
        """Ten changes are shown, and earlier ones on request, which get the focus"""
        identifier = self.changes(22)
        self.open_history(identifier)
        expect(self.summaries()).to_have_count(10)
        earlier = self.button("Earlier changes")
        earlier.focus()
        self.page.keyboard.press("Enter")
        expect(self.summaries()).to_have_count(20)
        expect(self.summaries().nth(10)).to_be_focused()
        expect(self.page.locator("#polite")).to_contain_text("10 earlier changes")
        earlier.click()
        expect(self.summaries()).to_have_count(23)
        expect(earlier).to_be_hidden()
        self.assertEqual(self.page.locator(".history .what").all_inner_texts(), ["Changed: name"] * 22 + ["Created"])
        self.page.keyboard.press("Enter")
        expect(self.entry(22).locator("ins").first).to_have_text("Name 0")

    def test_put_back(self):
        """An old version is restored with the keyboard, using If-Match; open changes stay open, and the new change is the first"""
        [identifier] = self.fill_with("Alpha", description="Of it")
        self.stack.change(identifier, name="Beta", description="", is_active=False)
        name = self.open_history(identifier)
        expect(self.entry(0).get_by_role("button")).to_have_count(0)
        button = self.entry(1).get_by_role("button", name="Restore this version")
        button.focus()
        with self.page.expect_request(lambda request: request.method == "PATCH") as asked:
            self.page.keyboard.press("Enter")
        self.assertEqual(asked.value.headers["if-match"], '"2"')
        expect(self.page.get_by_role("heading", name="Alpha")).to_be_focused()
        expect(self.page.locator(".details .description")).to_have_text("Of it")
        expect(self.page.locator(".status")).to_have_text("Active")
        expect(self.page.locator(".history .author").first).to_have_text(f"key:{name}")
        expect(self.page.locator(".history .what").first).to_have_text("Changed: name, description, active")
        expect(self.page.locator(".history details[open]")).to_have_count(2)
        expect(self.entry(2).get_by_role("button")).to_have_count(0)
        expect(self.entry(1).get_by_role("button", name="Restore this version")).to_be_visible()
        now = self.stack.campaign(identifier)
        self.assertEqual((now["name"], now["description"], now["is_active"]), ("Alpha", "Of it", True))

    def test_put_back_conflict(self):
        """Concurrent changes by somebody else are not overwritten without a choice"""
        [identifier] = self.fill_with("Alpha")
        self.stack.change(identifier, name="Beta")
        self.open_history(identifier)
        self.entry(1)
        self.stack.change(identifier, name="Theirs")
        self.button("Restore this version").click()
        expect(self.page.get_by_role("dialog", name="Somebody else changed this campaign")).to_be_visible()
        self.page.keyboard.press("Escape")
        self.assertEqual(self.stack.campaign(identifier)["name"], "Theirs")
        self.button("Restore this version").click()
        self.page.locator("dialog[open] [value=mine]").check()
        self.button("Save this choice").click()
        expect(self.page.get_by_role("heading", name="Alpha")).to_be_visible()
        expect(self.summaries()).to_have_count(4)

    def test_deleted(self):
        """A campaign that somebody else deletes while it is open can be recreated from one of its versions, once"""
        [identifier] = self.fill_with("Alpha", description="Of it")
        self.stack.change(identifier, name="Beta")
        self.open_history(identifier)
        self.entry(1)
        self.stack.ask("DELETE", f"/campaigns/{identifier}")
        self.button("Restore this version").click()
        expect(self.page.get_by_role("heading", name="Campaign not found")).to_be_visible()
        expect(self.page.locator(".history .what")).to_have_text(["Deleted", "Changed: name", "Created"])
        again = self.entry(0).get_by_role("button", name="Recreate this version")
        held = self.hold("POST", "/campaigns/")
        again.click()
        self.wait_for(held).fetch()
        held[0].abort()
        expect(self.toast("“Beta” not created: The service cannot be reached.")).to_be_visible()
        self.page.unroute_all()
        again.click()
        expect(self.page.get_by_role("heading", name="Beta")).to_be_focused()
        [made] = self.stack.campaigns()
        self.assertEqual((made["name"], made["description"]), ("Beta", "Of it"))
        self.assertTrue(self.page.url.endswith(f"/ui/campaigns/{made['id']}"))
        expect(self.page.locator(".history .what")).to_have_text(["Created"])

    def test_deleted_reader(self):
        """A reader sees the history of a deleted campaign, without buttons; one that never existed has none"""
        [identifier] = self.fill_with("Alpha")
        self.stack.ask("DELETE", f"/campaigns/{identifier}")
        self.open_history(identifier, "reader")
        expect(self.page.get_by_role("heading", name="Campaign not found")).to_be_visible()
        self.entry(0)
        expect(self.page.locator(".history").get_by_role("button")).to_have_count(0)
        self.open(f"/ui/campaigns/{identifier + 1000}")
        expect(self.page.get_by_role("heading", name="Campaign not found")).to_be_visible()
        self.page.wait_for_timeout(300)
        expect(self.page.locator(".history")).to_be_hidden()

    def test_edited(self):
        """A saved change appears in the history immediately; the history is hidden while the form is open"""
        [identifier] = self.fill_with("Alpha")
        self.open_history(identifier)
        self.button("Deactivate").click()
        expect(self.page.locator(".history .what")).to_have_text(["Changed: active", "Created"])
        self.button("Edit").click()
        expect(self.page.locator(".history")).to_be_hidden()
        self.name_field().fill("Beta")
        self.button("Save").click()
        expect(self.page.locator(".history .what")).to_have_text(["Changed: name", "Changed: active", "Created"])

    def test_many_since(self):
        """If there are more new changes than a page, no gap is left before the ones already shown"""
        identifier = self.changes(2)
        self.open_history(identifier)
        for number in range(12):
            self.stack.change(identifier, name=f"Later {number}")
        self.page.evaluate("dispatchEvent(new Event('campaignschanged'))")
        expect(self.summaries()).to_have_count(10)
        self.button("Earlier changes").click()
        expect(self.summaries()).to_have_count(15)
        expect(self.page.locator(".history .what").last).to_have_text("Created")

    def test_failure(self):
        """If the history cannot be loaded, an error is shown, and the campaign is shown all the same"""
        [identifier] = self.fill_with("Alpha")
        self.refuse("GET", f"/campaigns/{identifier}/history?limit=10")
        self.open_as("editor", f"/ui/campaigns/{identifier}")
        expect(self.page.locator(".history .alert")).to_have_text(
            "The history cannot be shown: The service is not available. Try again in a moment.")
        expect(self.page.get_by_role("heading", name="Alpha")).to_be_visible()
        self.page.unroute_all()
        self.button("Deactivate").click()
        expect(self.summaries()).to_have_count(2)
        expect(self.page.locator(".history .alert")).to_be_hidden()

    def test_html(self):
        """Names, authors and descriptions are displayed as text, whatever they contain"""
        key, name = self.new_key("editor", HOSTILE[:80])
        [identifier] = self.fill_with("Alpha")
        self.stack.change(identifier, key, name=HOSTILE, description=HOSTILE)
        self.open_history(identifier)
        expect(self.page.locator(".history .author").first).to_have_text(f"key:{name}")
        expect(self.entry(0).locator("ins")).to_have_text([HOSTILE, HOSTILE])
        expect(self.page.locator(".history").locator("img, script")).to_have_count(0)
        self.entry(1).get_by_role("button").click()
        expect(self.page.get_by_role("heading", name="Alpha")).to_be_focused()
        expect(self.page.locator(".history img")).to_have_count(0)
        self.assertEqual(self.page.title(), "Alpha · Aktify")

    def test_off(self):
        """Without authentication, the author of a change is "somebody\""""
        self.stack = Shared.stack("off")
        self.page = self.open_browser()
        [identifier] = self.fill_with("Alpha")
        self.open(f"/ui/campaigns/{identifier}")
        expect(self.page.locator(".history summary")).to_contain_text("Created by somebody")

    def test_looks(self):
        """axe-core finds no violations in an opened history, and it needs no horizontal scrolling"""
        key, name = self.new_key("editor", "W" * 80)
        [identifier] = self.fill_with("W" * 255, description="W" * 300)
        for number in range(11):
            self.stack.change(identifier, key, name=f"Spring sale, week {number}", description="20 % off everything. " * number)
        for scheme, viewport in itertools.product(("light", "dark"), (WIDE, NARROW, NARROWEST)):
            self.page = self.open_browser(viewport, color_scheme=scheme, has_touch=viewport != WIDE)
            self.open_history(identifier)
            self.button("Earlier changes").click()
            expect(self.summaries()).to_have_count(12)
            for index in (0, 1, 11):
                self.entry(index)
            self.look("history", f"{viewport['width']}-{scheme}")
