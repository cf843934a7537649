"""Each page and state, at both widths and in both colour schemes: accessibility (axe-core) and screenshots."""

import json

from playwright.sync_api import expect

from console import ConsoleTest, NARROW, NARROWEST, SCREENSHOTS, WIDE

NAMES = [
    ("Spring sale, Nordics", "20 % off everything in the second week; the code is in the footer of each mail.", True),
    ("Retargeting of abandoned carts, United Kingdom and Ireland", "Visitors who left a full cart within 14 days, three times a day at most.", True),
    ("Brand lift", "", False),
    ("Store opening, Antwerp", "Posters, radio, and a newsletter", True),
    ("Winter clearance", "Evergreen", False),
]


class PageTests(ConsoleTest):
    allows_errors = True

    def refill(self):
        rows = [dict(zip(("name", "description", "is_active"), NAMES[index % 5])) for index in range(60)]
        self.ids = self.stack.refill(rows)

    def test_states(self):
        """axe-core finds no violations on any page in any state, in light and dark, at 1280 and 390 pixels"""
        for scheme in ("light", "dark"):
            for width, viewport in ((1280, WIDE), (390, NARROW)):
                options = {"color_scheme": scheme, "has_touch": width == 390}
                self.page = self.open_browser(viewport, **options)
                self.look_at_all(f"{width}-{scheme}")

    def test_reflow(self):
        """No page in any state needs horizontal scrolling at 320 pixels, even with unbreakable names"""
        self.page = self.open_browser(NARROWEST, has_touch=True)
        self.refill()
        for state in self.states():
            state()
            self.page.screenshot(path=SCREENSHOTS / f"{state.__name__}-320.png")
            self.assert_reflow(state.__name__)
        for identifier in self.ids:
            self.stack.change(identifier, name="W" * 255, description="W" * 300)
        self.intercept("**/campaigns/?*count=true", lambda route: route.fulfill(headers={"X-Total-Count": "1234567"}, body="[]"))
        for state in (self.selected, self.details, self.confirm, self.left):
            state()
            self.page.screenshot(path=SCREENSHOTS / f"{state.__name__}-long-320.png")
            self.assert_reflow(f"{state.__name__}, long")

    def states(self):
        return (self.list, self.selected, self.undo, self.editing, self.nothing, self.loading, self.down, self.details,
                self.edit, self.confirm, self.conflict, self.new, self.help)

    def look_at_all(self, suffix):
        self.refill()
        for state in self.states():
            state()
            self.page.screenshot(path=SCREENSHOTS / f"{state.__name__}-{suffix}.png")
            with self.subTest(state=state.__name__, look=suffix):
                self.assertEqual(self.violations(), [])
                self.assertLessEqual(*self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]"))

    # The states, each reached from a new page.

    def list(self):
        self.open_list()
        expect(self.page.locator(".range")).to_be_visible()

    def selected(self):
        self.list()
        self.page.locator("tbody .select label").nth(1).click()
        self.page.locator("tbody .select label").nth(3).click(modifiers=["Shift"])
        expect(self.page.locator(".bulk")).to_be_visible()

    def undo(self):
        self.selected()
        self.button("Activate").click()
        expect(self.toast("activated.")).to_be_visible()
        self.page.evaluate("scrollTo(0, 0)")

    def left(self):
        self.selected()
        self.stack.change(self.ids[1], description="")
        self.button("Delete").click()
        expect(self.toast("Not deleted").get_by_role("button", name="Dismiss")).to_be_in_viewport(ratio=1)

    def editing(self):
        self.list()
        row = self.rows().nth(1)
        row.hover()
        row.locator(".pencil").click()
        self.page.get_by_role("textbox", name="Name").fill("")
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".inline .error")).to_be_visible()

    def nothing(self):
        self.open("/ui/?q=nowhere")
        expect(self.page.locator(".notice")).to_be_visible()

    def loading(self):
        held = []
        self.intercept("**/campaigns/?*", lambda route: held.append(route))
        self.open()
        expect(self.page.locator(".skeleton").first).to_be_visible()
        self.held = held

    def down(self):
        for route in self.held:
            route.abort()
        self.page.unroute("**/campaigns/?*")
        body = {"message": "The service is not available. Try again in a moment.", "request_id": "03df37497012dc874cda9ef2418486ed"}
        self.intercept("**/campaigns/?*", lambda route: route.fulfill(status=503, body=json.dumps(body)))
        self.open()
        expect(self.page.locator(".notice .request")).to_be_visible()
        self.page.unroute("**/campaigns/?*")

    def details(self):
        self.open(f"/ui/campaigns/{self.ids[1]}")
        expect(self.page.locator(".details h1")).to_be_visible()
        expect(self.page.locator("[data-way=next]")).to_have_attribute("href", "/ui/campaigns/" + str(self.ids[2]))

    def edit(self):
        self.details()
        self.button("Edit").click()

    def confirm(self):
        self.details()
        self.button("Delete").click()
        expect(self.page.locator("dialog[open]")).to_be_visible()

    def conflict(self):
        self.edit()
        self.stack.change(self.ids[1], name="Retargeting, UK & Ireland", description="Visitors who left a full cart")
        self.page.get_by_role("textbox", name="Name", exact=True).fill("Abandoned carts")
        self.page.get_by_role("checkbox", name="Active", exact=True).uncheck()
        self.button("Save").click()
        expect(self.page.locator("dialog[open]")).to_be_visible()
        self.stack.change(self.ids[1], name=NAMES[1][0], description=NAMES[1][1])

    def new(self):
        self.open("/ui/new")
        self.button("Create").click()
        expect(self.page.locator("#name-error")).not_to_be_empty()

    def help(self):
        self.list()
        self.page.keyboard.press("?")
        expect(self.page.locator("dialog[open]")).to_be_visible()
