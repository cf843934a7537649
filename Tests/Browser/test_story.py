"""The user story of the original application: a user creates a campaign."""

from playwright.sync_api import expect

from console import ConsoleTest


class StoryTests(ConsoleTest):
    allows_errors = True

    def test_mouse(self):
        """A user creates a campaign with the mouse, and sees its details"""
        self.fill_with("Winter")
        self.open_list()
        self.page.get_by_role("link", name="New campaign").click()
        expect(self.page.get_by_role("checkbox", name="Active", exact=True)).to_be_checked()
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Spring sale")
        self.page.get_by_role("textbox", name="Description", exact=True).fill("20 % off,\nall week")
        self.page.get_by_role("checkbox", name="Active", exact=True).uncheck()
        self.button("Create").click()
        expect(self.page.get_by_role("heading", name="Spring sale")).to_be_focused()
        made = self.stack.campaigns()[-1]
        self.assertEqual(self.page.url, f"{self.stack.url}/ui/campaigns/{made['id']}")
        self.assertEqual((made["name"], made["description"], made["is_active"]), ("Spring sale", "20 % off,\nall week", False))
        expect(self.page.locator(".description")).to_have_text("20 % off,\nall week")
        expect(self.page.locator(".status")).to_have_text("Inactive")
        self.page.get_by_role("link", name="Campaigns", exact=True).first.click()
        self.expect_names("Spring sale", "Winter")

    def test_keyboard(self):
        """A user does everything with the keyboard: searches, creates, edits, selects, deletes, undoes"""
        self.fill_with("Winter", "Autumn")
        keyboard = self.open_list().keyboard
        keyboard.press("n")
        expect(self.page.get_by_role("textbox", name="Name", exact=True)).to_be_focused()
        keyboard.type("Spring/jkx?")
        keyboard.press("Tab")
        keyboard.type("By keyboard")
        keyboard.press("Tab")
        keyboard.press("Space")
        keyboard.press("Tab")
        keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name="Spring/jkx?")).to_be_focused()
        keyboard.press("e")
        expect(self.page.get_by_role("textbox", name="Name", exact=True)).to_be_focused()
        self.assertEqual(self.page.get_by_role("textbox", name="Name", exact=True).input_value(), "Spring/jkx?")
        keyboard.press("Control+a")
        keyboard.type("Spring")
        keyboard.press("Enter")
        expect(self.button("Edit")).to_be_focused()
        made = self.stack.campaigns()[-1]
        self.assertEqual((made["name"], made["description"], made["is_active"]), ("Spring", "By keyboard", False))
        self.page.go_back()
        self.expect_names("Spring", "Winter", "Autumn")
        expect(self.focused()).to_have_text("Spring")
        keyboard.press("x")
        keyboard.press("j")
        keyboard.press("X")
        expect(self.page.locator(".bulk .number")).to_have_text("2 selected")
        keyboard.press("Escape")
        keyboard.press("/")
        keyboard.type("aut")
        self.expect_names("Autumn")
        keyboard.press("Tab")
        self.page.locator("h1").focus()
        keyboard.press("j")
        expect(self.focused()).to_have_text("Autumn")
        keyboard.press("x")
        self.tab_to("Delete")
        keyboard.press("Enter")
        expect(self.toast("1 campaign deleted")).to_be_visible()
        keyboard.press("z")
        self.expect_names("Autumn")
        keyboard.press("j")
        keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name="Autumn")).to_be_focused()
        self.tab_to("Delete")
        keyboard.press("Enter")
        expect(self.button("Cancel")).to_be_focused()
        keyboard.press("Tab")
        keyboard.press("Enter")
        expect(self.page.get_by_text("Nothing found")).to_be_visible()
        self.assertEqual(len(self.stack.campaigns()), 2)

    def tab_to(self, name):
        """Presses Tab until the button has the focus."""
        for _ in range(60):
            self.page.keyboard.press("Tab")
            if self.focused().count() and self.focused().inner_text() == name:
                return
        self.fail(f"{name} cannot be reached")

    def test_double_click(self):
        """A double click on Create creates one campaign, and so does a retry after a lost response"""
        self.fill_with()
        self.open("/ui/new")
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Once")
        self.button("Create").dblclick()
        expect(self.page.get_by_role("heading", name="Once")).to_be_visible()
        self.assertEqual([row["name"] for row in self.stack.campaigns()], ["Once"])

        lost = []

        def lose(route):
            if route.request.method != "POST" or lost:
                return route.continue_()
            lost.append(route.fetch().status)
            route.abort()

        self.intercept("**/campaigns/", lose)
        self.open("/ui/new")
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Twice")
        self.button("Create").click()
        expect(self.page.locator("form .alert")).to_have_text("The service cannot be reached.")
        self.button("Create").click()
        expect(self.page.get_by_role("heading", name="Twice")).to_be_visible()
        self.assertEqual([row["name"] for row in self.stack.campaigns()], ["Once", "Twice"])

    def test_unknown(self):
        """After an unknown outcome, a retry creates one campaign; if the input is changed first, there is a warning with a link to search"""
        self.fill_with()

        def lose(route):
            if route.request.method != "POST":
                return route.fallback()
            route.fetch()
            route.fulfill(status=504, json={"message": "The request may have been carried out, or not."})

        self.refuse("POST", "/campaigns/")
        self.intercept("**/campaigns/", lose, times=1)
        self.open("/ui/new")
        name = self.page.get_by_role("textbox", name="Name", exact=True)
        told = self.page.locator("form .alert")
        name.fill("Lost")
        self.button("Create").click()
        expect(told).to_have_text("The request may have been carried out, or not.")
        self.button("Create").click()
        expect(told).to_have_text("The service is not available. Try again in a moment.")
        self.page.unroute_all()
        name.fill("Found")
        self.button("Create").click()
        expect(told).to_contain_text("“Lost” may have been created before. Create adds this one as well.")
        with self.page.expect_popup() as popup:
            told.get_by_role("link", name="Look for “Lost”").click()
        self.expect_names("Lost", page=popup.value)
        popup.value.close()
        self.assertEqual([row["name"] for row in self.stack.campaigns()], ["Lost"])
        name.fill("Lost")
        self.button("Create").click()
        expect(self.page.get_by_role("heading", name="Lost")).to_be_visible()
        self.assertEqual([row["name"] for row in self.stack.campaigns()], ["Lost"])

    def test_left(self):
        """A campaign that is created, or fails, after the user has left is reported, without navigation"""
        [identifier] = self.fill_with("Winter")
        for name, end in (("Spring", lambda route: route.continue_()), ("Summer", lambda route: route.abort())):
            self.open_list()
            self.page.keyboard.press("n")
            self.page.get_by_role("textbox", name="Name", exact=True).fill(name)
            held = self.hold("POST", "/campaigns/")
            self.button("Create").click()
            route = self.wait_for(held)
            self.button("Cancel").click()
            self.row("Winter").locator(".text").click()
            self.page.keyboard.type("Cold")
            end(route)
            outcome = "is created." if name == "Spring" else "not created: The service cannot be reached."
            expect(self.toast(f"“{name}” {outcome}")).to_be_visible()
            expect(self.row("Spring")).to_be_visible()
            expect(self.page.get_by_role("textbox", name="Description")).to_be_focused()
            self.assertEqual(self.page.url, f"{self.stack.url}/ui/")
            self.page.keyboard.press("Escape")

    def test_cancel(self):
        """Cancel goes back, creates nothing and discards the input"""
        self.fill_with("Winter")
        self.open_list("/ui/?active=true")
        self.page.get_by_role("link", name="New campaign").click()
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Not this")
        self.button("Cancel").click()
        self.expect_names("Winter")
        self.assertEqual(self.page.url, f"{self.stack.url}/ui/?active=true")
        self.assertEqual(len(self.stack.campaigns()), 1)
        self.page.get_by_role("link", name="New campaign").click()
        expect(self.page.get_by_role("textbox", name="Name", exact=True)).to_have_value("")

    def test_errors(self):
        """A validation error of the service is shown beside its field and announced, and the field gets the focus"""
        self.open("/ui/new")
        self.button("Create").click()
        name = self.page.get_by_role("textbox", name="Name", exact=True)
        expect(self.page.locator("#name-error")).to_have_text("Name must have 1 to 255 characters.")
        expect(name).to_be_focused()
        expect(name).to_have_attribute("aria-invalid", "true")
        expect(name).to_have_accessible_description("Name must have 1 to 255 characters.")
        expect(self.page.locator("#assertive")).to_have_text("Name must have 1 to 255 characters.")
        name.fill("Right")
        self.button("Create").click()
        expect(self.page.get_by_role("heading", name="Right")).to_be_visible()

    def test_unsaved(self):
        """A link does not discard input without confirmation"""
        self.open("/ui/new")
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Half")
        self.page.get_by_role("link", name="Aktify").click()
        expect(self.page.get_by_role("heading", name="Discard your changes?")).to_be_visible()
        self.page.locator("dialog").get_by_role("button", name="Cancel").click()
        expect(self.page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Half")
        self.page.get_by_role("link", name="Aktify").click()
        self.button("Discard").click()
        expect(self.page.get_by_role("heading", name="Campaigns")).to_be_visible()

    def test_unsaved_back(self):
        """Going back does not discard input without confirmation"""
        self.fill_with("Alpha")
        self.open_list()
        self.page.keyboard.press("n")
        field = self.page.get_by_role("textbox", name="Name", exact=True)
        field.fill("Half")
        self.page.evaluate("history.back()")
        expect(self.page.get_by_role("heading", name="Discard your changes?")).to_be_visible()
        self.page.locator("dialog").get_by_role("button", name="Cancel").click()
        expect(field).to_have_value("Half")
        self.page.wait_for_url("**/ui/new")
        self.page.evaluate("history.back()")
        self.button("Discard").click()
        self.expect_names("Alpha")
