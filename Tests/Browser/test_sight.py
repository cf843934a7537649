"""The display with forced colours, at 400 % zoom, and of long, invisible and right-to-left names."""

from playwright.sync_api import expect

from console import ConsoleTest, NARROW, WIDE

ZOOMED = {"width": 320, "height": 256}
LONG = ("Newsletter_2026_Q4_Retargeting_DE_AT_CH", "W" * 255)


class SightTests(ConsoleTest):
    # Forced colours

    def test_forced_colours(self):
        """With forced colours, the states on, selected, current and disabled are visible"""
        self.stack.refill([{"name": "On"}, {"name": "Off", "is_active": False}])
        for scheme in ("light", "dark"):
            self.page = self.open_browser(forced_colors="active", color_scheme=scheme)
            self.open_list()
            with self.subTest(scheme=scheme):
                knobs = "one => getComputedStyle(one, '::before').backgroundImage"
                for name in ("On", "Off"):
                    switch = self.page.get_by_role("switch", name=f"Active: {name}")
                    self.assertIn("gradient", switch.evaluate(knobs))
                colour = "one => getComputedStyle(one).backgroundColor"
                chosen, other = (self.page.locator(".segments label").nth(index).evaluate(colour) for index in (0, 1))
                self.assertNotEqual(chosen, other)
                links = self.page.get_by_role("navigation", name="Main").get_by_role("link")
                self.assertNotEqual(*(links.nth(index).evaluate(colour) for index in (0, 1)))
                label = self.page.get_by_role("link", name="New campaign")
                self.assertEqual(label.evaluate("one => getComputedStyle(one).forcedColorAdjust"), "none")
                enabled, disabled = self.button("Export as CSV"), self.page.locator("[data-page=next]")
                ink = "one => getComputedStyle(one).color"
                self.assertNotEqual(enabled.evaluate(ink), disabled.evaluate(ink))
                self.page.goto("/status")
                expect(self.page.locator("#verdict[data-state=good]")).to_be_visible()
                page, dot = (self.page.locator(place).evaluate(colour) for place in ("body", "#verdict .dot"))
                self.assertNotEqual(page, dot)
                self.button("Pause").click()
                self.page.mouse.move(5, 5)
                self.assertNotEqual(self.button("Pause").evaluate(colour), page)

    # Long names

    def test_long_names_in_dialogs(self):
        """However long a name, a dialog needs no horizontal scrolling, and its buttons are visible"""
        for name in LONG:
            [identifier] = self.fill_with(name)
            for viewport in ({"width": 320, "height": 640}, NARROW, WIDE, ZOOMED):
                self.page = self.open_browser(viewport)
                self.open(f"/ui/campaigns/{identifier}")
                self.button("Delete").click()
                dialog = self.page.locator("#confirm")
                expect(dialog).to_be_visible()
                with self.subTest(name=name[:9], viewport=viewport):
                    self.assertLessEqual(*dialog.evaluate("one => [one.scrollWidth, one.clientWidth]"))
                    dialog.evaluate("one => one.scrollTo(0, 1e6)")
                    covered = dialog.evaluate("one => [one.querySelector('p'), one.querySelector('.actions')].map(part => part.getBoundingClientRect())"
                                              ".reduce((text, buttons) => text.bottom - buttons.top)")
                    self.assertLessEqual(covered, 0)
                    dialog.evaluate("one => one.scrollTo(0, 0)")
                    for button in ("Cancel", "Delete"):
                        expect(dialog.get_by_role("button", name=button)).to_be_in_viewport(ratio=1)

    # High zoom

    def test_zoom(self):
        """At 400 % zoom, overlays leave most of the page visible, and do not cover the focus"""
        self.fill_with(*(f"Campaign {number:02}" for number in range(25)))
        self.page = self.open_browser(ZOOMED)
        self.open_list("/ui/?sort=name")
        self.page.get_by_label("Select Campaign 00").check()
        self.page.get_by_role("switch", name="Active: Campaign 01").click()
        expect(self.toast("deactivated")).to_be_visible()
        height = "Math.max(0, ...[...document.querySelectorAll('.toast, .bulk')].map(one => innerHeight - one.getBoundingClientRect().top))"
        self.assertLess(self.page.evaluate(height), 256 * 0.45)
        self.assert_reflow("zoomed")
        self.page.get_by_role("link", name="Campaign 00").focus()
        for _ in range(40):
            self.page.keyboard.press("Tab")
            bottom = self.page.evaluate("document.activeElement.getBoundingClientRect().bottom")
            top = 256 - self.page.evaluate(height)
            self.assertLessEqual(bottom, top + 1, self.page.evaluate("document.activeElement.outerHTML"))

    def test_select_all_narrow(self):
        """On a narrow screen, all rows can be selected at once, too"""
        self.fill_with("A", "B")
        self.page = self.open_browser(NARROW, has_touch=True)
        self.open_list()
        everything = self.page.locator("thead label")
        self.assertEqual(everything.evaluate("one => getComputedStyle(one, '::after').content"), '"Select all"')
        everything.click()
        expect(self.page.locator(".bulk .number")).to_have_text("2 selected")

    # Strange names

    def test_invisible_names(self):
        """An invisible name is displayed with a placeholder, and spaces within names are visible"""
        [identifier, *_] = self.fill_with("\u200b", "a  b")
        self.open_list()
        self.expect_names("(no visible name)", "a  b")
        self.assertEqual(self.page.get_by_role("link", name="a b").inner_text(), "a  b")
        self.page.get_by_role("link", name="(no visible name)").click()
        expect(self.page.get_by_role("heading", name="(no visible name)")).to_be_visible()
        self.assertEqual(self.page.title(), "(no visible name) · Aktify")
        self.button("Delete").click()
        expect(self.page.get_by_role("heading", name="Delete “(no visible name)”?")).to_be_visible()
        self.assertEqual(self.stack.campaign(identifier)["name"], "\u200b")

    def test_isolated_names(self):
        """A right-to-left name, or one with direction marks, does not affect the text around it"""
        name = "abc\u202egnp"
        self.fill_with(name)
        self.open_list()
        self.page.get_by_role("switch").click()
        expect(self.page.locator(".toast p")).to_have_text(f"“\u2068{name}\u2069” deactivated.")
        link = self.page.locator(".name a")
        self.assertIn(link.evaluate("one => getComputedStyle(one).unicodeBidi"), ("isolate", "plaintext"))
        link.click()
        expect(self.page).to_have_title(f"\u2068{name}\u2069 · Aktify")
        heading = self.page.locator(".details h1")
        self.assertIn(heading.evaluate("one => getComputedStyle(one).unicodeBidi"), ("isolate", "plaintext"))
        self.button("Delete").click()
        expect(self.page.locator("#confirm-title")).to_have_text(f"Delete “\u2068{name}\u2069”?")
