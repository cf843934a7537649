"""Bulk actions, and their undo."""

import re

from playwright.sync_api import expect

from console import ConsoleTest


class BulkTests(ConsoleTest):
    allows_errors = True

    def boxes(self):
        return self.page.locator("tbody .select input")

    def select_range(self, first, last):
        self.boxes().nth(first).click()
        self.boxes().nth(last).click(modifiers=["Shift"])

    def test_range(self):
        """Shift selects and deselects a range; the checkbox in the header selects all and none"""
        self.fill_with("A", "B", "C", "D", "E")
        self.open_list()
        number = self.page.locator(".bulk .number")
        self.select_range(3, 1)
        expect(number).to_have_text("3 selected")
        self.boxes().nth(2).click()
        self.boxes().nth(3).click(modifiers=["Shift"])
        expect(number).to_have_text("1 selected")
        everything = self.page.get_by_label("Select all on this page")
        self.assertTrue(everything.evaluate("box => box.indeterminate"))
        everything.click()
        expect(number).to_have_text("5 selected")
        everything.click()
        expect(self.page.locator(".bulk")).to_be_hidden()

    def test_deactivate(self):
        """Selected campaigns are deactivated, and undo restores those that were active"""
        self.stack.refill([{"name": "A"}, {"name": "B", "is_active": False}, {"name": "C"}, {"name": "D"}])
        self.open_list()
        self.select_range(0, 2)
        self.button("Deactivate").click()
        self.assert_active("D", "2 campaigns deactivated.")
        self.toast("2 campaigns deactivated.").get_by_role("button", name="Undo").click()
        expect(self.page.get_by_role("switch", name="Active: A")).to_be_checked()
        self.assertEqual(self.active(), ["A", "C", "D"])
        self.page.get_by_label("Select all on this page").click()
        self.button("Activate").click()
        self.assert_active("A", "1 campaign activated.")
        self.assertEqual(self.active(), ["A", "B", "C", "D"])

    def test_deactivate_stale(self):
        """Undo does not affect campaigns that somebody else had deactivated before"""
        [identifier, _] = self.fill_with("A", "B")
        self.open_list()
        self.stack.change(identifier, is_active=False)
        self.select_range(0, 1)
        self.button("Deactivate").click()
        self.toast("1 campaign deactivated.").get_by_role("button", name="Undo").click()
        expect(self.page.get_by_role("switch", name="Active: B")).to_be_checked()
        self.assertEqual(self.active(), ["B"])

    def test_undo_overwrites_nothing(self):
        """Undo does not affect campaigns that somebody else has changed since, and lists them"""
        [identifier, _] = self.fill_with("A", "B")
        self.open_list()
        self.select_range(0, 1)
        self.button("Deactivate").click()
        expect(self.toast("2 campaigns deactivated.")).to_be_visible()
        self.stack.change(identifier, description="Stopped for good")
        self.page.keyboard.press("z")
        expect(self.toast("Not activated, because somebody changed it meanwhile: “A”.")).to_be_visible()
        expect(self.page.get_by_role("switch", name="Active: B")).to_be_checked()
        self.assertEqual(self.active(), ["B"])

    def test_undo_without_service(self):
        """An undo that fails temporarily can be retried"""
        self.fill_with("A", "B")
        self.open_list()
        self.select_range(0, 1)
        self.button("Deactivate").click()
        offer = self.toast("2 campaigns deactivated.")
        expect(offer).to_be_visible()
        self.refuse("PATCH", "/campaigns/*")
        self.page.keyboard.press("z")
        expect(self.toast("The service is not available.")).to_be_visible()
        expect(offer).to_be_visible()
        self.page.unroute_all()
        self.page.keyboard.press("z")
        expect(self.page.get_by_role("switch", name="Active: A")).to_be_checked()
        expect(offer).to_have_count(0)
        self.assertEqual(self.active(), ["A", "B"])

    def test_undo_of_earlier(self):
        """Earlier changes can be undone in any order, and a pending deletion is carried out, whatever was undone meanwhile"""
        self.fill_with("A", "B")
        self.page.clock.install()
        self.open_list()
        self.row("A").hover()
        self.button("Rename A").click()
        self.page.keyboard.type("A2")
        self.page.keyboard.press("Enter")
        renamed = self.toast("Name changed.")
        expect(renamed).to_be_visible()
        self.select_range(0, 1)
        self.button("Deactivate").click()
        deactivated = self.toast("2 campaigns deactivated.")
        expect(deactivated).to_be_visible()
        self.page.get_by_label("Select B").click()
        self.button("Delete").click()
        expect(self.toast("1 campaign deleted.")).to_be_visible()
        renamed.get_by_role("button", name="Undo").click()
        self.expect_names("A")
        deactivated.get_by_role("button", name="Undo").click()
        expect(self.page.get_by_role("switch", name="Active: A")).to_be_checked()
        self.page.mouse.move(5, 5)
        self.page.clock.run_for(11_000)
        expect(self.page.locator(".toast")).to_have_count(0)
        self.expect_kept("A")

    def test_unknown(self):
        """After an unknown outcome of a change, the list shows the current state"""
        self.fill_with("A")
        self.open_list()

        def lose(route):
            if route.request.method != "PATCH":
                return route.fallback()
            route.fetch()
            route.fulfill(status=504, json={"message": "The request may have been carried out, or not."})

        self.intercept("**/campaigns/*", lose)
        switch = self.page.get_by_role("switch")
        self.boxes().first.click()
        self.button("Deactivate").click()
        expect(self.toast("1 campaign perhaps not deactivated: The request may have been carried out, or not.")).to_be_visible()
        expect(switch).not_to_be_checked()
        switch.click()
        expect(self.toast("“A” perhaps not changed: The request may have been carried out, or not.")).to_be_visible()
        expect(switch).to_be_checked()

    def test_delete_twice(self):
        """Campaigns with a pending deletion are hidden immediately, and cannot be deleted again"""
        self.fill_with("A", "B", "C")
        self.open_list()
        held = []
        self.intercept(re.compile(r"/campaigns/\d+$"), lambda route: held.append(route))
        self.select_range(0, 1)
        self.button("Delete").click()
        self.expect_names("C")
        for route in held:
            route.continue_()
        self.toast("2 campaigns deleted.").get_by_role("button", name="Undo").click()
        self.expect_names("A", "B", "C")
        expect(self.page.locator(".toast")).to_have_count(0)

    def test_failures(self):
        """Errors name their campaign, repeated ones are shown once, and at most three are shown"""
        self.fill_with(*"ABCDEF")
        self.open_list()
        self.refuse("PATCH", "/campaigns/*")
        for name in "ABCDEFF":
            switch = self.page.get_by_role("switch", name=f"Active: {name}")
            switch.click()
            expect(switch).not_to_have_attribute("aria-busy", "true")
        text = "not changed: The service is not available. Try again in a moment."
        expect(self.page.locator(".toast p")).to_have_text([f"“D” {text}", f"“E” {text}", f"“F” {text} ×2"])

    def test_delete_page(self):
        """When a whole page is deleted, the next one is shown"""
        self.fill_with(*(f"Campaign {number}" for number in range(30)))
        self.open_list()
        self.page.get_by_label("Select all on this page").click()
        self.button("Delete").click()
        self.expect_names(*(f"Campaign {number}" for number in range(25, 30)))

    def active(self):
        return [row["name"] for row in self.stack.campaigns() if row["is_active"]]

    def assert_active(self, name, text):
        expect(self.toast(text)).to_be_visible()
        expect(self.page.get_by_role("switch", name=f"Active: {name}")).to_be_checked()

    def test_undo_of_delete(self):
        """Deleted campaigns are hidden immediately, and undo restores them with their ids and versions"""
        ids = self.fill_with("A", "B", "C", description="Of it")
        before = self.stack.campaigns()
        self.open_list()
        self.select_range(0, 1)
        self.button("Delete").click()
        self.expect_names("C")
        expect(self.page.locator(".count")).to_have_text("1")
        self.toast("2 campaigns deleted.").get_by_role("button", name="Undo").click()
        self.expect_names("A", "B", "C")
        self.assertEqual(self.stack.campaigns(), before)
        self.assertEqual([row["id"] for row in before], ids)

    def test_delete(self):
        """A deletion is carried out after ten seconds, without the time in which the pointer is over the toast"""
        self.fill_with("A", "B", "C")
        self.page.clock.install()
        self.open_list()
        self.select_range(0, 1)
        self.button("Delete").click()
        self.expect_names("C")
        self.page.clock.run_for(8_000)
        self.toast("deleted").hover()
        self.page.clock.run_for(60_000)
        expect(self.toast("deleted")).to_be_visible()
        self.assertEqual(len(self.stack.campaigns()), 3)
        self.page.mouse.move(5, 5)
        self.page.clock.run_for(2_500)
        expect(self.toast("deleted")).to_have_count(0)
        self.expect_kept("C")

    def test_delete_stale(self):
        """Campaigns that somebody else changes before or after are not deleted, and are listed"""
        ids = self.fill_with("A", "B", "C", "D")
        self.page.clock.install()
        self.open_list()
        self.stack.change(ids[0], description="Theirs")
        self.page.get_by_label("Select all on this page").click()
        self.button("Delete").click()
        expect(self.toast("3 campaigns deleted.")).to_be_visible()
        expect(self.toast("Not deleted, because somebody changed it meanwhile: “A”.")).to_be_visible()
        self.expect_names("A")
        expect(self.button("Edit description: Theirs")).to_be_visible()
        for identifier in ids[1:3]:
            self.stack.change(identifier, description="Theirs too")
        self.page.clock.run_for(11_000)
        expect(self.toast("Not deleted, because somebody changed them meanwhile: “B”, “C”.")).to_be_visible()
        self.expect_names("A", "B", "C")
        self.expect_kept("A", "B", "C")

    def test_delete_own(self):
        """A campaign whose own change is undone while its deletion is pending is still deleted"""
        self.fill_with("A", "B")
        self.page.clock.install()
        self.open_list()
        self.page.get_by_role("switch", name="Active: A").click()
        undo = self.toast("“A” deactivated.").get_by_role("button", name="Undo")
        expect(undo).to_be_visible()
        self.boxes().nth(0).click()
        self.button("Delete").click()
        expect(self.toast("1 campaign deleted.")).to_be_visible()
        with self.page.expect_response(lambda response: response.request.method == "PATCH"):
            undo.click()
        self.page.clock.run_for(11_000)
        expect(self.toast("deleted")).to_have_count(0)
        self.expect_kept("B")

    def test_delete_gone(self):
        """Campaigns that somebody else has deleted are not an error"""
        [first, second] = self.fill_with("A", "B")
        self.page.clock.install()
        self.open_list()
        self.stack.ask("DELETE", f"/campaigns/{first}")
        self.page.get_by_label("Select all on this page").click()
        self.button("Delete").click()
        expect(self.toast("1 campaign deleted.")).to_be_visible()
        self.stack.ask("DELETE", f"/campaigns/{second}")
        self.page.clock.run_for(11_000)
        expect(self.page.get_by_role("heading", name="No campaigns yet")).to_be_visible()
        expect(self.page.locator(".toast")).to_have_count(0)

    def test_delete_failed(self):
        """A deletion that fails is reported, and the others are carried out"""
        ids = self.fill_with("A", "B", "C")
        self.page.clock.install()
        self.open_list()
        self.intercept(f"**/campaigns/{ids[1]}", lambda route: route.abort() if route.request.method == "DELETE" else route.continue_())
        self.page.get_by_label("Select all on this page").click()
        self.button("Delete").click()
        expect(self.toast("3 campaigns deleted.")).to_be_visible()
        self.page.clock.run_for(11_000)
        expect(self.toast("1 campaign not deleted: The service cannot be reached.")).to_be_visible()
        self.expect_names("B")
        self.expect_kept("B")

    def test_delete_without_service(self):
        """Nothing is hidden while the service is unreachable"""
        self.fill_with("A", "B")
        self.open_list()
        self.intercept("**/campaigns/*", lambda route: route.abort())
        self.page.get_by_label("Select all on this page").click()
        self.button("Delete").click()
        expect(self.toast("Not deleted: The service cannot be reached.")).to_be_visible()
        self.expect_names("A", "B")
        self.expect_kept("A", "B")

    def test_count(self):
        """Campaigns with a pending deletion are not counted, with any filter, and not exported"""
        self.fill_with("Alpha", "Beta", "Gamma, \"quoted\"\nline")
        self.open_list()
        count = self.page.locator(".count")
        self.row("Alpha").locator(".select input").click()
        self.button("Delete").click()
        expect(count).to_have_text("2")
        self.page.get_by_role("searchbox").fill("beta")
        expect(count).to_have_text("1")
        self.page.get_by_role("searchbox").fill("alpha")
        expect(count).to_have_text("0")
        self.page.get_by_role("searchbox").fill("")
        expect(count).to_have_text("2")
        for format in ("CSV", "JSON"):
            with self.page.expect_download() as download:
                self.button(f"Export as {format}").click()
            with open(download.value.path(), encoding="utf-8") as file:
                text = file.read()
            self.assertIn("Beta", text)
            self.assertNotIn("Alpha", text)
        self.toast("deleted").get_by_role("button", name="Undo").click()
        expect(count).to_have_text("3")

    def test_announced(self):
        """Announcements for screen readers are kept for a while, even if more follow"""
        self.fill_with("A", "B")
        self.open_list()
        self.boxes().nth(0).click()
        self.button("Delete").click()
        told = self.page.locator("#polite")
        expect(told).to_contain_text("1 campaign deleted. Press z to undo.")
        expect(self.page.locator(".count")).to_have_text("1")
        self.page.wait_for_timeout(300)
        expect(told).to_contain_text("1 selected")
        expect(told).to_contain_text("1 campaign deleted. Press z to undo.")
        expect(told).to_contain_text("1 campaign")
        self.page.keyboard.press("z")
        expect(told).to_contain_text("Undone.")

    def test_leaving_page(self):
        """All pending deletions, of two pages, are carried out when the page is closed"""
        self.fill_with(*(f"Campaign {number}" for number in range(51)))
        self.open_list()
        for first in ("Campaign 25", "Campaign 50"):
            self.page.get_by_label("Select all on this page").click()
            self.button("Delete").click()
            expect(self.rows().first).to_contain_text(first)
        self.page.goto("about:blank")
        self.page.wait_for_timeout(1000)
        self.expect_kept("Campaign 50")

    def expect_kept(self, *names):
        """Waits for deletions that have been sent."""
        kept = lambda: [row["name"] for row in self.stack.campaigns()]
        for _ in range(50):
            if kept() == list(names):
                return
            self.page.wait_for_timeout(20)
        self.assertEqual(kept(), list(names))

    def test_leaving(self):
        """A pending deletion is kept in other views, and carried out when the page is closed"""
        self.fill_with("A", "B")
        self.open_list()
        self.boxes().nth(0).click()
        self.button("Delete").click()
        self.expect_names("B")
        self.page.get_by_role("link", name="B").click()
        expect(self.page.get_by_role("heading", name="B")).to_be_visible()
        expect(self.toast("1 campaign deleted.")).to_be_visible()
        self.page.goto("about:blank")
        self.page.wait_for_timeout(300)
        self.expect_kept("B")
