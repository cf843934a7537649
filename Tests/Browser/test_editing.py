"""Values of the list that are edited where they stand."""

from playwright.sync_api import expect

from console import ConsoleTest


class EditingTests(ConsoleTest):
    allows_errors = True

    def test_name(self):
        """A name is edited where it stands: Enter saves, Escape does not"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.row("Alpha").hover()
        self.button("Rename Alpha").click()
        field = self.page.get_by_role("textbox", name="Name")
        expect(field).to_be_focused()
        field.fill("Beta")
        field.press("Enter")
        expect(self.page.get_by_role("link", name="Beta")).to_be_focused()
        self.assertEqual(self.stack.campaign(identifier)["name"], "Beta")
        self.page.keyboard.press("e")
        field.fill("Gamma")
        field.press("Escape")
        expect(self.page.get_by_role("link", name="Beta")).to_be_focused()
        self.assertEqual(self.stack.campaign(identifier)["name"], "Beta")
        self.page.keyboard.press("z")
        self.expect_names("Alpha")
        self.assertEqual(self.stack.campaign(identifier)["name"], "Alpha")

    def test_description(self):
        """A description is edited where it stands, and leaving it saves it"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.button("Edit description", exact=False).click()
        self.page.get_by_role("textbox", name="Description").fill("Of it")
        self.page.get_by_role("heading", name="Campaigns").click()
        expect(self.button("Edit description: Of it")).to_be_visible()
        self.assertEqual(self.stack.campaign(identifier)["description"], "Of it")

    def test_active(self):
        """Active is a switch, whose change can be undone"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        switch = self.page.get_by_role("switch", name="Active: Alpha")
        switch.click()
        expect(switch).not_to_be_checked()
        self.assertFalse(self.stack.campaign(identifier)["is_active"])
        self.toast("“Alpha” deactivated.").get_by_role("button", name="Undo").click()
        expect(switch).to_be_checked()
        self.assertTrue(self.stack.campaign(identifier)["is_active"])

    def test_wrong(self):
        """What the service refuses stays in its editor, with the reason beside it"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.row("Alpha").hover()
        self.button("Rename Alpha").click()
        field = self.page.get_by_role("textbox", name="Name")
        field.fill(" ")
        field.press("Enter")
        expect(field).to_be_focused()
        expect(field).to_have_accessible_description("Name must have 1 to 255 characters.")
        self.assertEqual(self.stack.campaign(identifier)["name"], "Alpha")
        self.page.get_by_role("button", name="Cancel").click()
        self.expect_names("Alpha")

    def test_conflict(self):
        """A value that somebody else changes while it is edited is not overwritten unseen"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.row("Alpha").hover()
        with self.page.expect_response(f"**/campaigns/{identifier}"):
            self.button("Rename Alpha").click()
        self.stack.change(identifier, name="Theirs")
        field = self.page.get_by_role("textbox", name="Name")
        field.fill("Mine")
        field.press("Enter")
        expect(self.page.get_by_role("heading", name="Somebody else changed this campaign")).to_be_visible()
        self.page.get_by_role("group", name="Name").get_by_label("Yours").check()
        self.button("Save this choice").click()
        self.expect_names("Mine")
        self.assertEqual(self.stack.campaign(identifier)["name"], "Mine")

    def test_conflicting_undo(self):
        """Undoing does not overwrite what somebody else changed since"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.page.get_by_role("switch").click()
        undo = self.toast("deactivated").get_by_role("button", name="Undo")
        expect(undo).to_be_visible()
        self.stack.change(identifier, name="Theirs")
        undo.click()
        expect(self.page.locator(".toast.failed")).to_be_visible()
        self.assertFalse(self.stack.campaign(identifier)["is_active"])

    def test_stale(self):
        """A value that somebody else changed before the editor was opened is not overwritten unseen"""
        [identifier] = self.fill_with("Alpha", description="Old")
        self.open_list()
        self.stack.change(identifier, description="Theirs")
        self.button("Edit description", exact=False).click()
        field = self.page.get_by_role("textbox", name="Description")
        field.fill("Mine")
        field.press("Enter")
        expect(self.page.get_by_role("heading", name="Somebody else changed this campaign")).to_be_visible()
        self.assertEqual(self.stack.campaign(identifier)["description"], "Theirs")

    def test_stale_switch(self):
        """A switch that somebody else has turned already is shown as it is, and there is nothing to undo"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.stack.change(identifier, is_active=False)
        self.page.get_by_role("switch").click()
        expect(self.toast("Somebody else has deactivated it already.")).to_be_visible()
        expect(self.page.get_by_role("switch")).not_to_be_checked()
        expect(self.button("Undo")).to_have_count(0)
        self.assertFalse(self.stack.campaign(identifier)["is_active"])

    def test_two_undos(self):
        """Two changes of one campaign are undone one after the other"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.page.get_by_role("link", name="Alpha").focus()
        self.page.keyboard.press("e")
        self.page.get_by_role("textbox", name="Name").fill("Beta")
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("link", name="Beta")).to_be_focused()
        self.page.get_by_role("switch").click()
        expect(self.toast("deactivated")).to_be_visible()
        self.page.keyboard.press("z")
        expect(self.page.get_by_role("switch")).to_be_checked()
        self.page.keyboard.press("z")
        self.expect_names("Alpha")
        campaign = self.stack.campaign(identifier)
        self.assertEqual((campaign["name"], campaign["is_active"]), ("Alpha", True))

    def test_short_outage(self):
        """An editor that was opened while the service was away can save when it is back"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.page.route(f"**/campaigns/{identifier}", lambda route: route.abort(), times=1)
        self.button("Edit description", exact=False).click()
        field = self.page.get_by_role("textbox", name="Description")
        field.fill("Mine")
        field.press("Enter")
        expect(self.button("Edit description: Mine")).to_be_visible()
        self.assertEqual(self.stack.campaign(identifier)["description"], "Mine")

    def test_unsaved(self):
        """Who reloads is asked while something typed is not saved, and only then"""
        self.fill_with("Alpha")
        asked = []
        self.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))

        def reload_from(path, key, expected):
            self.open(path)
            expect(self.page.locator("h1")).to_be_visible()
            self.button("Edit description", exact=False).click() if path == "/ui/" else self.page.locator("#name").focus()
            asked.clear()
            if key:
                self.page.keyboard.press(key)
            self.page.reload()
            self.assertEqual(asked, expected)
            self.page.reload()
            self.assertEqual(asked, expected)

        for path in ("/ui/", "/ui/new"):
            reload_from(path, None, [])
            reload_from(path, "a", ["beforeunload"])

    def test_unsaved_back(self):
        """Nor does the browser's Back throw away what is typed in the list without a question; what is saved meanwhile needs none"""
        [identifier] = self.fill_with("Alpha")
        self.open_list("/ui/?sort=name")
        self.page.get_by_role("radio", name="Active", exact=True).check(force=True)
        self.page.wait_for_url("**/ui/?active=true&sort=name")
        self.button("Edit description", exact=False).click()
        field = self.page.get_by_role("textbox", name="Description")
        field.fill("Mine")
        self.page.evaluate("history.back()")
        expect(self.page.get_by_role("heading", name="Discard your changes?")).to_be_visible()
        self.page.locator("dialog").get_by_role("button", name="Cancel").click()
        expect(field).to_have_value("Mine")
        self.page.wait_for_url("**/ui/?active=true&sort=name")
        held = self.hold("PATCH", f"/campaigns/{identifier}")
        self.page.get_by_role("link", name="New campaign").click()
        expect(self.page.get_by_role("heading", name="New campaign")).to_be_visible()
        self.wait_for(held).continue_()
        expect(self.toast("Description changed.")).to_be_visible()
        self.assertEqual(self.stack.campaign(identifier)["description"], "Mine")

    def test_left_while_saving(self):
        """A value that cannot be saved is told of, also when another page is shown then"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        held = self.hold("PATCH", f"/campaigns/{identifier}")
        self.button("Edit description", exact=False).click()
        self.page.get_by_role("textbox", name="Description").fill("Mine")
        self.page.get_by_role("link", name="New campaign").click()
        expect(self.page.get_by_role("heading", name="New campaign")).to_be_visible()
        self.wait_for(held).abort()
        expect(self.toast("Description not saved: The service cannot be reached.")).to_be_visible()
