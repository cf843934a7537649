"""Outages of the API while the page is open."""

from playwright.sync_api import expect

from console import ConsoleTest


class OutageTests(ConsoleTest):
    allows_errors = True

    def tearDown(self):
        if self.stack.api.poll() is not None:
            self.stack.start_api()
        super().tearDown()

    def test_list(self):
        """The list shows the outage, and recovers with "Try again" and automatically"""
        self.fill_with("Alpha", "Beta")
        self.open_list()
        self.stack.stop_api()
        self.button("Name").click()
        expect(self.page.get_by_role("heading", name="The campaigns cannot be shown")).to_be_visible()
        expect(self.page.locator(".notice")).to_contain_text("The service is not available.")
        self.button("Try again").click()
        expect(self.page.get_by_role("heading", name="The campaigns cannot be shown")).to_be_visible()
        self.stack.start_api()
        self.button("Try again").click()
        self.expect_names("Alpha", "Beta")
        self.stack.stop_api()
        self.page.get_by_role("searchbox").fill("beta")
        expect(self.page.get_by_role("heading", name="The campaigns cannot be shown")).to_be_visible()
        self.stack.start_api()
        expect(self.row("Beta")).to_be_visible(timeout=8000)

    def test_focus(self):
        """The focus moves to the possible action, and back to the list afterwards"""
        self.fill_with("Alpha")
        self.open_list()
        self.intercept("**/campaigns/*", lambda route: route.abort())
        self.button("Name").focus()
        self.page.keyboard.press("Enter")
        expect(self.button("Try again")).to_be_focused()
        self.page.unroute_all()
        self.page.keyboard.press("Enter")
        self.expect_names("Alpha")
        expect(self.page.get_by_role("heading", name="Campaigns")).to_be_focused()

    def test_form(self):
        """A form shows the error and keeps its input, until it can be sent"""
        self.fill_with()
        self.open("/ui/new")
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Patience")
        self.stack.stop_api()
        self.button("Create").click()
        expect(self.page.locator("form .alert")).to_contain_text("The service is not available.")
        self.stack.start_api()
        self.button("Create").click()
        expect(self.page.get_by_role("heading", name="Patience")).to_be_visible()
        self.assertEqual(len(self.stack.campaigns()), 1)

    def test_editing(self):
        """Inline editing and bulk actions show the error, and change nothing"""
        self.fill_with("Alpha")
        self.open_list()
        self.row("Alpha").hover()
        self.stack.stop_api()
        self.button("Rename Alpha").click()
        field = self.page.get_by_role("textbox", name="Name")
        field.fill("Beta")
        field.press("Enter")
        expect(field).to_have_accessible_description("The service is not available. Try again in a moment.")
        field.press("Escape")
        self.page.locator("tbody .select input").click()
        self.button("Deactivate").click()
        expect(self.page.locator(".toast.failed")).to_contain_text("Not deactivated: The service is not available.")
        self.stack.start_api()
        self.assertEqual([(row["name"], row["is_active"]) for row in self.stack.campaigns()], [("Alpha", True)])

    def test_details(self):
        """The details view shows the error, and "Try again" shows the campaign"""
        [identifier] = self.fill_with("Alpha")
        self.stack.stop_api()
        self.open(f"/ui/campaigns/{identifier}")
        expect(self.page.get_by_role("heading", name="The campaign cannot be shown")).to_be_visible()
        self.stack.start_api()
        self.button("Try again").click()
        expect(self.page.get_by_role("heading", name="Alpha")).to_be_visible()
