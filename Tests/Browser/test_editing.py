"""Inline editing in the list."""

from playwright.sync_api import expect

from console import WIDE, ConsoleTest


class EditingTests(ConsoleTest):
    allows_errors = True

    def test_name(self):
        """A name is edited inline: Enter saves, Escape cancels"""
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
        """A description is edited inline, and leaving the editor saves it"""
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
        """A value that the service rejects stays in its editor, with the reason beside it"""
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
        """A value that somebody else changes while it is edited is not overwritten without a choice"""
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
        """Undo does not overwrite changes that somebody else has made since"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.page.get_by_role("switch").click()
        undo = self.toast("deactivated").get_by_role("button", name="Undo")
        expect(undo).to_be_visible()
        self.stack.change(identifier, name="Theirs")
        undo.click()
        expect(self.page.locator(".toast.failed")).to_contain_text("Not undone: ")
        self.assertFalse(self.stack.campaign(identifier)["is_active"])

    def test_broken_answer(self):
        """An incomplete response is reported like a missing one"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.intercept(f"**/campaigns/{identifier}", lambda route: route.fulfill(status=200, body="{"))
        self.page.get_by_role("switch").click()
        expect(self.toast("“Alpha” not changed: The response was incomplete.")).to_be_visible()

    def test_stale(self):
        """A value that somebody else changed before the editor was opened is not overwritten without a choice"""
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
        """A switch that somebody else has already changed shows the current state, and there is nothing to undo"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.stack.change(identifier, is_active=False)
        self.page.get_by_role("switch").click()
        expect(self.toast("Somebody else has deactivated it already.")).to_be_visible()
        expect(self.page.get_by_role("switch")).not_to_be_checked()
        expect(self.button("Undo")).to_have_count(0)
        self.assertFalse(self.stack.campaign(identifier)["is_active"])

    def test_two_undos(self):
        """Two changes of a campaign are undone one after the other"""
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

    def test_own_undo(self):
        """An own undo while the form was open is not a conflict"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.page.get_by_role("switch").click()
        undo = self.button("Undo")
        expect(undo).to_be_visible()
        self.page.get_by_role("link", name="Alpha").click()
        self.button("Edit").click()
        self.page.get_by_role("textbox", name="Description").fill("Of it")
        with self.page.expect_response(lambda response: response.request.method == "PATCH"):
            undo.click()
        self.button("Save").click()
        expect(self.page.locator("article .description")).to_have_text("Of it")
        campaign = self.stack.campaign(identifier)
        self.assertEqual((campaign["description"], campaign["is_active"]), ("Of it", True))

    def test_short_outage(self):
        """An editor that was opened during an outage can save afterwards"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.intercept(f"**/campaigns/{identifier}", lambda route: route.abort(), times=1)
        self.button("Edit description", exact=False).click()
        field = self.page.get_by_role("textbox", name="Description")
        field.fill("Mine")
        field.press("Enter")
        expect(self.button("Edit description: Mine")).to_be_visible()
        self.assertEqual(self.stack.campaign(identifier)["description"], "Mine")

    def test_unsaved(self):
        """Reloading the page asks for confirmation only if there is unsaved input"""
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
        """Going back asks before it discards input in the list, unless it is being saved"""
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
        self.wait_for(held).continue_()
        expect(self.page.get_by_role("heading", name="New campaign")).to_be_visible()
        expect(self.toast("Description changed.")).to_be_visible()
        self.assertEqual(self.stack.campaign(identifier)["description"], "Mine")

    def test_left_while_saving(self):
        """A slow save does not keep the user from leaving; if it fails then, that is reported"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        held = self.hold("PATCH", f"/campaigns/{identifier}")
        self.button("Edit description", exact=False).click()
        self.page.get_by_role("textbox", name="Description").fill("Mine")
        self.page.get_by_role("link", name="New campaign").click()
        route = self.wait_for(held)
        self.button("Discard").click()
        expect(self.page.get_by_role("heading", name="New campaign")).to_be_visible()
        route.abort()
        expect(self.toast("Description of “Alpha” not saved: The service cannot be reached.")).to_be_visible()

    def test_left_unsaved(self):
        """Leaving during a save waits for it, and asks if it fails"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.refuse("PATCH", f"/campaigns/{identifier}")
        self.button("Edit description", exact=False).click()
        field = self.page.get_by_role("textbox", name="Description")
        field.fill("Mine")
        self.page.get_by_role("link", name="Alpha").click()
        expect(self.page.get_by_role("heading", name="Discard your changes?")).to_be_visible()
        self.page.locator("dialog").get_by_role("button", name="Cancel").click()
        expect(field).to_have_value("Mine")
        self.assertTrue(self.page.url.endswith("/ui/"))
        inactive = self.page.get_by_role("radio", name="Inactive")
        inactive.check(force=True)
        self.page.locator("dialog").get_by_role("button", name="Cancel").click()
        expect(inactive).not_to_be_checked()

    def test_left_in_conflict(self):
        """Leaving during a conflict asks only about the conflict"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        with self.page.expect_response(f"**/campaigns/{identifier}"):
            self.button("Edit description", exact=False).click()
        self.page.keyboard.type("Mine")
        self.stack.change(identifier, description="Theirs")
        self.page.get_by_role("link", name="New campaign").click()
        conflict = self.page.get_by_role("heading", name="Somebody else changed this campaign: “Alpha”")
        expect(conflict).to_be_visible()
        self.page.wait_for_timeout(1500)
        expect(self.page.locator("dialog[open]")).to_have_count(1)
        self.page.get_by_role("group", name="Description").get_by_label("Yours").check()
        self.button("Save this choice").click()
        expect(self.page.get_by_role("heading", name="New campaign")).to_be_visible()
        self.assertEqual(self.stack.campaign(identifier)["description"], "Mine")

    def test_unsaved_while_saving(self):
        """Reloading the page asks for confirmation during a save"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        held = self.hold("PATCH", f"/campaigns/{identifier}")
        self.button("Edit description", exact=False).click()
        self.page.keyboard.type("Mine")
        self.page.keyboard.press("Enter")
        self.wait_for(held)
        asked = []
        self.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        self.page.reload()
        self.assertEqual(asked, ["beforeunload"])

    def delete_later(self, name):
        """Selects and deletes a campaign. The list is reloaded when the deletion is carried out, by `commit`."""
        self.row(name).locator(".select input").click()
        self.button("Delete").click()
        expect(self.toast("1 campaign deleted.")).to_be_visible()
        expect(self.row(name)).to_have_count(0)

    def commit(self):
        self.page.clock.run_for(11_000)
        expect(self.toast("1 campaign deleted.")).to_have_count(0)

    def test_outage_while_editing(self):
        """Input is kept if reloading the list fails meanwhile"""
        [_, identifier] = self.fill_with("Alpha", "Beta")
        self.page.clock.install()
        self.open_list()
        self.delete_later("Alpha")
        self.button("Edit description", exact=False).click()
        field = self.page.get_by_role("textbox", name="Description")
        self.page.keyboard.type("In the making")
        self.intercept("**/campaigns/**", lambda route: route.abort())
        self.commit()
        expect(self.page.get_by_role("heading", name="The campaigns cannot be refreshed")).to_be_visible()
        expect(field).to_be_focused()
        self.page.unroute_all()
        self.page.clock.run_for(6_000)
        expect(self.page.locator(".notice")).to_have_count(0)
        self.page.keyboard.type(", still")
        self.page.keyboard.press("Enter")
        expect(self.button("Edit description: In the making, still")).to_be_visible()
        self.assertEqual(self.stack.campaign(identifier)["description"], "In the making, still")

    def test_row_pushed_off(self):
        """A row with an open editor is kept, even if it moves to another page, and is not saved prematurely"""
        ids = self.stack.refill([{"name": f"A{number:02}"} for number in range(27)])
        self.page.clock.install()
        self.open_list("/ui/?sort=name")
        self.delete_later("A03")
        last = self.row("A24")
        last.locator(".text").click()
        self.page.keyboard.type("Half")
        self.stack.ask("POST", "/campaigns/", [{"name": "A00b"}, {"name": "A00c"}])
        self.commit()
        expect(self.row("A00c")).to_be_visible()
        expect(self.page.get_by_role("textbox", name="Description")).to_be_focused()
        self.assertEqual(self.stack.campaign(ids[24])["description"], "")
        self.page.keyboard.type(" and whole")
        self.page.keyboard.press("Enter")
        expect(self.toast("Description changed.")).to_be_visible()
        self.assertEqual(self.stack.campaign(ids[24])["description"], "Half and whole")

    def conflict(self, identifier):
        """Creates a conflict: somebody else renames the only campaign while it is renamed here."""
        self.row("Alpha").hover()
        with self.page.expect_response(f"**/campaigns/{identifier}"):
            self.button("Rename Alpha").click()
        self.stack.change(identifier, name="Theirs")
        self.page.get_by_role("textbox", name="Name").fill("Mine")
        self.page.keyboard.press("Enter")

    def choose(self, whose):
        self.page.get_by_role("group", name="Name").get_by_label(whose).check()
        self.button("Save this choice").click()

    def test_conflict_theirs(self):
        """Choosing their version changes nothing, and there is nothing to undo"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.conflict(identifier)
        self.choose("Theirs")
        expect(self.page.get_by_role("link", name="Theirs")).to_be_focused()
        expect(self.page.locator(".toast")).to_have_count(0)
        self.page.keyboard.press("z")
        expect(self.page.locator("#polite")).to_contain_text("There is nothing to undo.")
        self.assertEqual(self.stack.campaign(identifier)["name"], "Theirs")

    def test_conflict_undo(self):
        """Undoing the choice of one's own version restores theirs"""
        [identifier] = self.fill_with("Alpha")
        self.open_list()
        self.conflict(identifier)
        self.choose("Yours")
        self.expect_names("Mine")
        self.page.keyboard.press("z")
        self.expect_names("Theirs")
        self.assertEqual(self.stack.campaign(identifier)["name"], "Theirs")

    def test_two_conflicts(self):
        """Two conflicts are two consecutive dialogs, and each names its campaign"""
        ids = self.fill_with("Alpha", "Beta")
        self.open_list()
        held = []
        waits = lambda route: route.request.method == "PATCH" and len(held) < 2
        self.intercept("**/campaigns/*", lambda route: held.append(route) if waits(route) else route.fallback())
        for identifier, name in zip(ids, ["Alpha", "Beta"]):
            self.row(name).hover()
            with self.page.expect_response(f"**/campaigns/{identifier}"):
                self.button(f"Rename {name}").click()
            self.page.keyboard.type(f"My {name}")
            self.page.keyboard.press("Enter")
        self.page.wait_for_timeout(100)
        self.assertEqual(len(held), 2)
        for identifier, name in zip(ids, ["Alpha", "Beta"]):
            self.stack.change(identifier, name=f"Their {name}")
        for route in held:
            with self.page.expect_response(lambda response: response.request.method == "GET"):
                route.continue_()
        title = self.page.get_by_role("heading", name="Somebody else changed this campaign")
        expect(title).to_contain_text("Alpha")
        self.choose("Yours")
        expect(title).to_contain_text("Beta")
        expect(self.page.get_by_role("group", name="Name").get_by_label("Yours")).not_to_be_checked()
        self.choose("Theirs")
        self.expect_names("My Alpha", "Their Beta")
        self.assertEqual([row["name"] for row in self.stack.campaigns()], ["My Alpha", "Their Beta"])

    def test_normalised(self):
        """The browser's own sanitization of a value is not a change, neither in the list nor in the form"""
        [identifier] = self.stack.refill([{"name": "two\nlines", "description": "line 1\r\nline 2"}])
        before = self.stack.campaign(identifier)
        self.open_list()
        for control in (".text", ".pencil"):
            self.rows().hover()
            self.page.locator(control).click()
            self.page.keyboard.press("Enter")
            expect(self.page.locator(".inline")).to_have_count(0)
        expect(self.page.locator(".toast")).to_have_count(0)
        self.assertEqual(self.stack.campaign(identifier), before)
        self.open(f"/ui/campaigns/{identifier}")
        self.button("Edit").click()
        self.page.keyboard.press("Escape")
        expect(self.button("Edit")).to_be_focused()
        self.button("Edit").click()
        self.page.get_by_role("checkbox", name="Active", exact=True).uncheck()
        self.button("Save").click()
        expect(self.page.locator(".status")).to_have_text("Inactive")
        now = self.stack.campaign(identifier)
        self.assertEqual((now["name"], now["description"]), (before["name"], before["description"]))

    def test_focus_kept(self):
        """A save that finishes after the user has moved on does not move the focus"""
        ids = self.fill_with("Alpha", "Beta")
        self.open_list()
        held = self.hold("PATCH", f"/campaigns/{ids[0]}")
        box = self.page.get_by_role("searchbox")
        self.row("Alpha").hover()
        self.button("Rename Alpha").click()
        field = self.page.get_by_role("textbox", name="Name")
        field.fill("Alpha 2")
        self.page.keyboard.press("Enter")
        self.wait_for(held)
        box.focus()
        held.pop().abort()
        expect(field).to_have_accessible_description("The service cannot be reached.")
        expect(box).to_be_focused()
        field.press("Enter")
        self.wait_for(held)
        box.focus()
        held.pop().continue_()
        expect(self.toast("Name changed.")).to_be_visible()
        expect(box).to_be_focused()

    def test_long_description(self):
        """The editor of a description is as wide as its cell, however long the text"""
        text = "https://example.com/" + "x" * 200 + " and words and words" * 60
        self.fill_with("Alpha", description=text)
        self.open_list()
        cell = self.page.locator("tbody .description").bounding_box()
        self.page.locator(".text").click()
        field = self.page.get_by_role("textbox", name="Description")
        box = field.bounding_box()
        self.assertLess(box["width"], cell["width"])
        self.assertGreater(box["height"], 60)
        self.assertLess(box["height"], WIDE["height"] / 2)
        cancel = self.button("Cancel").bounding_box()
        self.assertLessEqual(cancel["x"] + cancel["width"], cell["x"] + cell["width"])
        self.assert_reflow("a long description")
