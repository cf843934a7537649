"""Keyboard shortcuts and focus."""

from playwright.sync_api import expect

from console import ConsoleTest


class KeyboardTests(ConsoleTest):
    def test_moving(self):
        """j and k move, x selects, Shift x extends the selection, Enter opens, / searches, n creates a campaign"""
        self.fill_with("A", "B", "C")
        keyboard = self.open_list().keyboard
        for key, name in (("j", "A"), ("j", "B"), ("j", "C"), ("j", "C"), ("k", "B")):
            keyboard.press(key)
            expect(self.focused()).to_have_text(name)
        keyboard.press("x")
        keyboard.press("k")
        keyboard.press("X")
        expect(self.page.locator(".bulk .number")).to_have_text("2 selected")
        keyboard.press("/")
        expect(self.page.get_by_role("searchbox")).to_be_focused()
        keyboard.press("Escape")
        keyboard.press("j")
        expect(self.focused()).to_have_text("A")
        keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name="A")).to_be_focused()
        keyboard.press("j")
        expect(self.page.get_by_role("heading", name="B")).to_be_focused()
        keyboard.press("/")
        expect(self.page.get_by_role("searchbox")).to_be_focused()
        keyboard.press("Escape")
        keyboard.press("n")
        expect(self.page.get_by_role("textbox", name="Name", exact=True)).to_be_focused()

    def test_help(self):
        """? lists the shortcuts, and single keys can be turned off permanently"""
        self.fill_with("A")
        self.open_list().keyboard.press("?")
        dialog = self.page.get_by_role("dialog", name="Keyboard shortcuts")
        expect(dialog).to_be_visible()
        dialog.get_by_label("Use single keys as shortcuts").uncheck()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("n")
        self.page.reload()
        expect(self.rows()).to_have_count(1)
        self.page.keyboard.press("n")
        expect(self.page.get_by_role("heading", name="Campaigns")).to_be_visible()
        self.button("Keyboard shortcuts").click()
        dialog.get_by_label("Use single keys as shortcuts").check()
        self.button("Close").click()
        expect(self.button("Keyboard shortcuts")).to_be_focused()
        self.page.keyboard.press("n")
        expect(self.page.get_by_role("heading", name="New campaign")).to_be_visible()

    def test_undo(self):
        """Without single keys Control z undoes, which the announcement mentions; in a field it is the browser's own shortcut"""
        self.fill_with("A")
        self.open_list().keyboard.press("?")
        self.page.get_by_label("Use single keys as shortcuts").uncheck()
        self.page.keyboard.press("Escape")
        switch = self.page.get_by_role("switch")
        switch.click()
        expect(self.page.locator("#polite")).to_contain_text("“A” deactivated. Press Control z to undo.")
        self.page.keyboard.press("z")
        self.page.get_by_role("searchbox").press("Control+z")
        expect(switch).not_to_be_checked()
        switch.focus()
        self.page.keyboard.press("Control+z")
        expect(switch).to_be_checked()

    def test_focused_message(self):
        """A toast with the focus stays when the pointer leaves it, and one under the pointer when it loses the focus"""
        self.fill_with("A")
        self.page.clock.install()
        self.open_list()
        self.page.get_by_role("switch").click()
        undo = self.button("Undo")
        undo.hover()
        undo.focus()
        self.page.mouse.move(5, 5)
        self.page.clock.run_for(11_000)
        expect(undo).to_be_focused()
        undo.hover()
        self.page.get_by_role("switch").focus()
        self.page.clock.run_for(11_000)
        expect(undo).to_be_visible()
        self.page.mouse.move(5, 5)
        self.page.clock.run_for(11_000)
        expect(undo).to_have_count(0)

    def test_skip(self):
        """The first Tab reaches the skip link"""
        self.fill_with("A")
        self.open_list().keyboard.press("Tab")
        expect(self.page.get_by_role("link", name="Skip to the content")).to_be_focused()
        self.page.keyboard.press("Enter")
        self.page.keyboard.press("Tab")
        expect(self.page.get_by_role("link", name="New campaign")).to_be_focused()
