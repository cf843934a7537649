"""The details view of a campaign."""

from playwright.sync_api import expect

from console import ConsoleTest


class DetailsTests(ConsoleTest):
    allows_errors = True

    def open_details(self, identifier, page=None, query=""):
        page = self.open(f"/ui/campaigns/{identifier}{query}", page)
        expect(page.locator(".details h1")).to_be_visible()
        return page

    def test_edit(self):
        """A campaign is edited, activated and deactivated"""
        [identifier] = self.fill_with("Alpha")
        self.open_details(identifier)
        self.assertEqual(self.page.title(), "Alpha · Aktify")
        self.button("Edit").click()
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Beta")
        self.page.get_by_role("textbox", name="Description", exact=True).fill("Of it")
        self.button("Save").click()
        expect(self.page.get_by_role("heading", name="Beta")).to_be_visible()
        self.button("Deactivate").click()
        expect(self.button("Activate")).to_be_focused()
        expect(self.page.locator(".status")).to_have_text("Inactive")
        self.button("Activate").click()
        expect(self.page.locator(".status")).to_have_text("Active")
        now = self.stack.campaign(identifier)
        self.assertEqual((now["name"], now["description"], now["is_active"]), ("Beta", "Of it", True))

    def test_delete(self):
        """A campaign is deleted only after confirmation"""
        [identifier] = self.fill_with("Alpha")
        self.open_details(identifier)
        self.button("Delete").click()
        expect(self.page.get_by_role("dialog", name="Delete “Alpha”?")).to_be_visible()
        self.page.keyboard.press("Escape")
        expect(self.button("Delete")).to_be_focused()
        self.assertEqual(len(self.stack.campaigns()), 1)
        self.button("Delete").click()
        self.page.locator("dialog").get_by_role("button", name="Delete").click()
        expect(self.page.get_by_role("heading", name="No campaigns yet")).to_be_visible()
        self.assertEqual(self.stack.campaigns(), [])

    def test_changed_before_delete(self):
        """A campaign that somebody else has changed is not deleted before the change was shown"""
        [identifier] = self.fill_with("Alpha")
        self.open_details(identifier)
        self.stack.change(identifier, name="Theirs")
        self.button("Delete").click()
        self.page.locator("dialog").get_by_role("button", name="Delete").click()
        expect(self.page.get_by_role("heading", name="Theirs")).to_be_visible()
        expect(self.page.locator(".details .alert")).to_contain_text("It was not deleted.")
        self.assertEqual(len(self.stack.campaigns()), 1)

    def test_neighbours(self):
        """Previous and next follow the list that the campaign was opened from, across its pages"""
        self.stack.refill([{"name": f"Campaign {number:03}"} for number in range(60)])
        self.open_list("/ui/?sort=name&q=campaign")
        self.page.get_by_role("link", name="Campaign 024").click()
        for name in ("Campaign 025", "Campaign 026"):
            self.page.get_by_role("link", name="Next").click()
            expect(self.page.get_by_role("heading", name=name)).to_be_focused()
        for name in ("Campaign 025", "Campaign 024", "Campaign 023"):
            self.page.keyboard.press("k")
            expect(self.page.get_by_role("heading", name=name)).to_be_focused()
        self.open_list("/ui/?sort=name&q=campaign")
        self.page.get_by_role("link", name="Campaign 000").click()
        expect(self.page.get_by_role("link", name="Previous")).to_have_attribute("aria-disabled", "true")

    def test_neighbours_of_a_link(self):
        """A campaign that is opened by its URL has the next newer and the next older one as neighbours"""
        ids = self.stack.refill([{"name": f"Campaign {number:03}"} for number in range(60)])
        self.open_details(ids[55])
        self.page.get_by_role("link", name="Next").click()
        expect(self.page.locator(".details h1")).to_have_text("Campaign 054")

    def test_title(self):
        """The title contains the shown campaign immediately, and late responses change neither the title nor the focus"""
        first, second = self.fill_with("Alpha", "Beta")
        self.open_details(first)
        changes = self.hold("PATCH", f"/campaigns/{first}")
        reads = self.hold("GET", f"/campaigns/{second}")
        self.button("Deactivate").click()
        self.page.keyboard.press("j")
        self.page.wait_for_url(f"**/ui/campaigns/{second}")
        expect(self.page).to_have_title(f"Campaign {second} · Aktify")
        self.wait_for(reads).continue_()
        expect(self.page.get_by_role("heading", name="Beta")).to_be_focused()
        expect(self.page).to_have_title("Beta · Aktify")
        with self.page.expect_response(lambda response: response.request.method == "PATCH"):
            self.wait_for(changes).continue_()
        self.page.wait_for_timeout(300)
        self.assertEqual(self.page.title(), "Beta · Aktify")
        expect(self.page.get_by_role("heading", name="Beta")).to_be_focused()
        self.page.get_by_role("link", name="Campaigns").first.click()
        expect(self.page).to_have_title("Campaigns · Aktify")

    def test_left_while_deleting(self):
        """A deletion that finishes when another view is shown does not navigate away from it"""
        first, second = self.fill_with("Alpha", "Beta")
        self.open_details(first)
        held = self.hold("DELETE", f"/campaigns/{first}")
        self.button("Delete").click()
        self.page.locator("dialog").get_by_role("button", name="Delete").click()
        self.page.keyboard.press("j")
        expect(self.page.get_by_role("heading", name="Beta")).to_be_visible()
        self.wait_for(held).continue_()
        expect(self.page.locator("#polite")).to_contain_text("Alpha is deleted.")
        self.page.wait_for_timeout(300)
        self.assertTrue(self.page.url.endswith(f"/ui/campaigns/{second}"))

    def test_left_while_changing(self):
        """A change that fails when another view is shown is reported there"""
        first, second = self.fill_with("Alpha", "Beta")
        self.open_details(first)
        held = self.hold("PATCH", f"/campaigns/{first}")
        self.button("Deactivate").click()
        self.page.keyboard.press("j")
        expect(self.page.get_by_role("heading", name="Beta")).to_be_visible()
        self.wait_for(held).abort()
        expect(self.toast("“Alpha” is not changed: The service cannot be reached.")).to_be_visible()

    def test_missing(self):
        """A campaign that does not exist is reported"""
        self.open("/ui/campaigns/999999999")
        expect(self.page.get_by_role("heading", name="Campaign not found")).to_be_visible()

    def test_two_browsers(self):
        """Two browsers edit the same campaign: the second user sees both versions, and chooses for each field"""
        [identifier] = self.fill_with("Alpha", description="Of it")
        mine = self.open_details(identifier)
        theirs = self.open_details(identifier, self.open_browser())
        for page in (mine, theirs):
            self.button("Edit", page).click()
        theirs.get_by_role("textbox", name="Name", exact=True).fill("Theirs")
        theirs.get_by_role("textbox", name="Description", exact=True).fill("Of theirs")
        self.button("Save", theirs).click()
        expect(theirs.get_by_role("heading", name="Theirs")).to_be_visible()
        mine.get_by_role("textbox", name="Name", exact=True).fill("Mine")
        mine.get_by_label("Active").uncheck()
        self.button("Save", mine).click()

        dialog = mine.get_by_role("dialog", name="Somebody else changed this campaign")
        expect(dialog).to_be_visible()
        name, description, active = (dialog.get_by_role("group", name=field) for field in ("Name", "Description", "Active"))
        expect(name).to_contain_text("Theirs")
        expect(name.get_by_role("radio", checked=True)).to_have_count(0)
        expect(description.get_by_label("Theirs")).to_be_checked()
        expect(active.get_by_label("Yours")).to_be_checked()
        self.button("Save this choice", mine).click()
        expect(dialog).to_be_visible()
        name.get_by_label("Yours").check()
        self.button("Save this choice", mine).click()
        expect(mine.get_by_role("heading", name="Mine")).to_be_visible()
        now = self.stack.campaign(identifier)
        self.assertEqual((now["name"], now["description"], now["is_active"]), ("Mine", "Of theirs", False))

    def test_conflict_put_off(self):
        """A user who cancels the choice continues editing, and loses nothing"""
        [identifier] = self.fill_with("Alpha")
        self.open_details(identifier)
        self.button("Edit").click()
        self.stack.change(identifier, name="Theirs")
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Mine")
        self.button("Save").click()
        self.button("Keep editing").click()
        expect(self.page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Mine")
        self.assertEqual(self.stack.campaign(identifier)["name"], "Theirs")

    def test_deleted_meanwhile(self):
        """A change of a deleted campaign is reported, and the input is kept"""
        [identifier] = self.fill_with("Alpha")
        self.open_details(identifier)
        self.button("Edit").click()
        self.fill_with()
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Mine")
        self.button("Save").click()
        expect(self.page.locator("form .alert")).to_have_text("Campaign not found.")
        expect(self.page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Mine")

    # Concurrent operations

    def test_leaving(self):
        """Previous and next skip campaigns with a pending deletion, whose view only offers to undo it"""
        first, second, third = self.fill_with("Alpha", "Beta", "Gamma")
        self.open_list("/ui/?sort=name")
        self.page.get_by_label("Select Beta").check()
        self.button("Delete").click()
        self.expect_names("Alpha", "Gamma")
        self.page.get_by_role("link", name="Alpha").click()
        expect(self.page.get_by_role("heading", name="Alpha")).to_be_focused()
        self.page.keyboard.press("j")
        expect(self.page.get_by_role("heading", name="Gamma")).to_be_focused()
        self.page.keyboard.press("k")
        expect(self.page.get_by_role("heading", name="Alpha")).to_be_focused()
        self.page.evaluate(f"history.pushState({{ position: 9 }}, '', '/ui/campaigns/{second}'); history.back(); setTimeout(() => history.forward(), 100)")
        expect(self.page.get_by_role("heading", name="Beta")).to_be_visible()
        expect(self.page.locator(".details .status")).to_have_text("Being deleted")
        expect(self.page.locator(".details").get_by_role("button")).to_have_text(["Undo"])
        self.page.keyboard.press("e")
        expect(self.page.locator("#name")).to_have_count(0)
        self.page.locator(".details").get_by_role("button", name="Undo").click()
        expect(self.button("Edit")).to_be_visible()
        expect(self.toast("deleted")).to_have_count(0)
        expect(self.page.locator(".details h1")).to_be_focused()

    def test_kept_while_read(self):
        """Undoing the deletion of one campaign in its view, before the deletion is pending, keeps it, and the others are deleted"""
        _, second = self.fill_with("Alpha", "Beta")
        self.page.clock.install()
        self.open_list()
        self.page.get_by_role("link", name="Alpha").click()
        expect(self.page.get_by_role("heading", name="Alpha")).to_be_visible()
        self.page.go_back()
        self.expect_names("Alpha", "Beta")
        held = self.hold("GET", f"/campaigns/{second}")
        self.page.get_by_label("Select all on this page").check()
        self.button("Delete").click()
        self.wait_for(held)
        self.page.go_forward()
        expect(self.page.locator(".status")).to_have_text("Being deleted")
        self.button("Undo").click()
        expect(self.button("Edit")).to_be_visible()
        held[0].continue_()
        expect(self.toast("1 campaign deleted.")).to_be_visible()
        with self.page.expect_response(lambda response: response.request.method == "DELETE"):
            self.page.clock.run_for(11_000)
        self.assertEqual([row["name"] for row in self.stack.campaigns()], ["Alpha"])

    def test_typed_while_saving(self):
        """During a save the form is read-only, since further input would be lost"""
        [identifier] = self.fill_with("Alpha")
        self.open_details(identifier)
        self.button("Edit").click()
        name, description = (self.page.get_by_role("textbox", name=name, exact=True) for name in ("Name", "Description"))
        name.fill("Beta")
        held = self.hold("PATCH", f"/campaigns/{identifier}")
        self.button("Save").click()
        self.wait_for(held)
        expect(name).not_to_be_editable()
        expect(description).not_to_be_editable()
        self.page.get_by_role("checkbox", name="Active").click()
        expect(self.page.get_by_role("checkbox", name="Active")).to_be_checked()
        held[0].abort()
        expect(self.page.locator("form .alert")).to_have_text("The service cannot be reached.")
        expect(description).to_be_editable()
        self.page.unroute_all()
        self.button("Save").click()
        expect(self.page.get_by_role("heading", name="Beta")).to_be_visible()

    def test_edited_while_toggling(self):
        """The response to a toggle does not close a form opened since, and saving the form does not revert the toggle"""
        [identifier] = self.fill_with("Alpha")
        self.open_details(identifier)
        held = self.hold("PATCH", f"/campaigns/{identifier}")
        self.button("Deactivate").click()
        self.wait_for(held)
        self.button("Edit").click()
        description = self.page.get_by_role("textbox", name="Description", exact=True)
        description.fill("A long text")
        with self.page.expect_response(lambda response: response.request.method == "PATCH"):
            held[0].continue_()
        self.page.wait_for_timeout(200)
        expect(description).to_have_value("A long text")
        self.page.unroute_all()
        self.button("Save").click()
        expect(self.page.locator(".details .description")).to_have_text("A long text")
        now = self.stack.campaign(identifier)
        self.assertEqual((now["description"], now["is_active"]), ("A long text", False))

    def test_focus_kept(self):
        """Reloading the campaign keeps the focus, and a form that was opened meanwhile"""
        first, second = self.fill_with("Alpha", "Beta")
        self.page.clock.install()
        self.open_list()
        self.page.get_by_label("Select Beta").check()
        self.button("Delete").click()
        self.expect_names("Alpha")
        self.page.get_by_role("link", name="Alpha").click()
        self.button("Edit").focus()
        reads = self.hold("GET", f"/campaigns/{first}")
        self.page.clock.run_for(11_000)
        self.wait_for(reads).continue_()
        self.page.wait_for_timeout(200)
        expect(self.button("Edit")).to_be_focused()
        reads.clear()
        self.page.evaluate("dispatchEvent(new Event('campaignschanged'))")
        self.wait_for(reads)
        self.page.keyboard.press("e")
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Typed")
        reads[0].continue_()
        self.page.wait_for_timeout(200)
        expect(self.page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Typed")

    # Dialogs

    def test_back_in_dialog(self):
        """Going back cancels an open dialog"""
        first, _ = self.fill_with("Alpha", "Beta")
        self.open_list()
        self.page.get_by_role("link", name="Alpha").click()
        self.button("Delete").click()
        expect(self.page.get_by_role("dialog")).to_be_visible()
        self.page.go_back()
        self.expect_names("Alpha", "Beta")
        expect(self.page.get_by_role("dialog")).to_have_count(0)
        self.assertEqual(len(self.stack.campaigns()), 2)

    def test_back_in_conflict(self):
        """Going back from the conflict dialog asks whether to discard one's own changes"""
        first, _ = self.fill_with("Alpha", "Beta")
        self.open_list()
        self.page.get_by_role("link", name="Alpha").click()
        self.button("Edit").click()
        self.stack.change(first, name="Theirs")
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Mine")
        self.button("Save").click()
        expect(self.page.locator("#conflict")).to_be_visible()
        self.page.evaluate("history.back()")
        expect(self.page.get_by_role("dialog", name="Discard your changes?")).to_be_visible()
        expect(self.page.locator("#conflict")).to_be_hidden()
        self.button("Cancel").last.click()
        self.page.wait_for_url(f"**/ui/campaigns/{first}")
        expect(self.page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Mine")

    def test_back_in_question(self):
        """Going back twice from unsaved changes asks once; the URL is restored, or that of the target"""
        self.fill_with("Alpha", "Beta")
        self.open_list("/ui/?q=a")
        self.page.locator(".brand").click()
        self.page.wait_for_url("**/ui/")
        self.page.get_by_role("link", name="New campaign").click()
        name = self.page.get_by_role("textbox", name="Name", exact=True)
        name.fill("Typed")
        dialog = self.page.get_by_role("dialog", name="Discard your changes?")

        def back_twice():
            for address in ("/ui/", "/ui/?q=a"):
                self.page.evaluate("history.back()")
                self.page.wait_for_function("address => location.pathname + location.search === address", arg=address)
                expect(dialog).to_be_visible()

        back_twice()
        dialog.get_by_role("button", name="Cancel").click()
        self.page.wait_for_url("**/ui/new")
        self.page.wait_for_timeout(200)
        expect(dialog).to_be_hidden()
        expect(name).to_have_value("Typed")
        back_twice()
        dialog.get_by_role("button", name="Discard").click()
        expect(self.page.get_by_role("searchbox")).to_have_value("a")

    def test_enter_saves_choice(self):
        """Enter on a chosen version saves the choice"""
        [identifier] = self.fill_with("Alpha")
        self.open_details(identifier)
        self.button("Edit").click()
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Mine")
        self.stack.change(identifier, name="Theirs")
        self.page.keyboard.press("Enter")
        yours = self.page.locator("#conflict").get_by_label("Yours")
        yours.check()
        yours.press("Enter")
        expect(self.page.get_by_role("heading", name="Mine")).to_be_visible()
        self.assertEqual(self.stack.campaign(identifier)["name"], "Mine")
