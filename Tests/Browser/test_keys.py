"""Signing in with an API key, the permissions of each role, and where the key must not appear."""

import itertools

from playwright.sync_api import expect

from console import ConsoleTest, NARROW, NARROWEST, SCREENSHOTS, Shared, WIDE

numbers = itertools.count(1)


class KeyTest(ConsoleTest):
    """A test of a console whose API requires keys."""

    allows_errors = True
    auth = "keys"

    def new_key(self, role, name=None):
        """Creates a key with a unique name."""
        name = f"{name or role} {next(numbers)}"
        return self.stack.new_key(name, role), name

    def open_as(self, role, path="/ui/", page=None, name=None):
        """Opens a page and signs in. Returns the name of the key."""
        key, name = self.new_key(role, name)
        page = self.open(path, page)
        self.sign_in(key, page)
        expect(self.dialog(page)).to_be_hidden()
        return name

    def dialog(self, page=None):
        return (page or self.page).get_by_role("dialog", name="Sign in")

    def field(self, page=None):
        return (page or self.page).get_by_label("API key")

    def name_field(self):
        return self.page.get_by_role("textbox", name="Name", exact=True)

    def look(self, state, suffix):
        self.page.screenshot(path=SCREENSHOTS / f"{state}-{suffix}.png", full_page=True)
        with self.subTest(state=state, look=suffix):
            self.assertEqual(self.violations(), [])
        self.assert_reflow(f"{state} {suffix}")


class SigningInTests(KeyTest):
    def test_sign_in(self):
        """The page asks for a key, shows the API's error for an invalid one, and stores a valid one until the tab is closed"""
        self.fill_with("Alpha")
        (revoked, revoked_name), (expired, expired_name), (key, name) = (self.new_key("editor") for _ in range(3))
        self.stack.revoke(revoked_name)
        self.stack.run("psql", "-h", self.stack.environment["POSTGRES_HOST"], "-U", "postgres", "-c",
                       f"UPDATE api_key SET expires_on = now() WHERE name = '{expired_name}'")
        self.open()
        expect(self.field()).to_be_focused()
        expect(self.field()).to_have_attribute("type", "password")
        expect(self.field()).to_have_attribute("autocomplete", "current-password")
        for wrong, message in (
            ("aktify_", "The key is malformed: a character is wrong or missing."),
            ("clé “…”", "The key is malformed: a character is wrong or missing."),
            (revoked, "The key was revoked."), (expired, "The key has expired."),
        ):
            self.sign_in(wrong)
            expect(self.field()).to_have_accessible_description(f"This tab stores it until you close the tab or sign out. {message}")
            expect(self.field()).to_be_focused()
        expect(self.rows()).to_have_count(0)
        self.sign_in(f" {key} ")
        self.expect_names("Alpha")
        expect(self.dialog()).to_be_hidden()
        expect(self.page.locator(".who")).to_have_text(f"key:{name}, editor")
        self.page.reload()
        self.expect_names("Alpha")
        expect(self.page.locator(".who")).to_have_text(f"key:{name}, editor")
        other = self.open(page=self.page.context.new_page())
        expect(self.dialog(other)).to_be_visible()

    def test_not_yet(self):
        """A user who cancels the sign-in sees why nothing is shown, and is asked again by "Try again\""""
        self.fill_with("Alpha")
        self.open()
        expect(self.field()).to_be_focused()
        self.page.keyboard.press("Escape")
        expect(self.page.locator(".notice")).to_contain_text("Authenticate")
        self.button("Try again").click()
        self.button("Cancel").click()
        self.button("Try again").click()
        key, _ = self.new_key("reader")
        self.sign_in(key)
        self.expect_names("Alpha")

    def test_outage(self):
        """A key that cannot be checked does not count as invalid"""
        self.fill_with("Alpha")
        key, _ = self.new_key("reader")
        self.open()
        expect(self.field()).to_be_focused()
        self.refuse("GET", "/me")
        self.sign_in(key)
        expect(self.page.locator("#key-error")).to_have_text("The service is not available. Try again in a moment.")
        self.page.unroute_all()
        self.field().press("Enter")
        self.expect_names("Alpha")

    def test_sign_out(self):
        """Signing out commits pending actions, removes the key, and leaves no data visible"""
        [identifier] = self.fill_with("Alpha")
        self.open_as("admin")
        self.page.get_by_role("checkbox", name="Select Alpha").click()
        self.button("Delete").click()
        expect(self.toast("1 campaign deleted.")).to_be_visible()
        self.button("Sign out").click()
        expect(self.field()).to_be_focused()
        self.expect_names()
        self.assertNotIn("Alpha", self.page.content())
        self.assertEqual(self.page.evaluate("sessionStorage.getItem('session')"), None)
        self.assertEqual(self.stack.campaigns(), [])
        self.page.go_back()
        self.page.go_forward()
        self.page.reload()
        expect(self.field()).to_be_focused()
        expect(self.button("Sign out")).to_be_hidden()

    def test_gone_back(self):
        """A page in the back/forward cache from before the end of the session is not shown again"""
        self.fill_with("Alpha")
        self.open_as("reader")
        self.expect_names("Alpha")
        back = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
        self.page.evaluate(back)
        self.expect_names("Alpha")
        expect(self.dialog()).to_be_hidden()
        self.page.evaluate("sessionStorage.clear()")
        self.page.evaluate(back)
        expect(self.field()).to_be_focused()
        self.expect_names()

    def test_unsaved_sign_out(self):
        """Signing out asks before it discards input"""
        self.open_as("editor", "/ui/")
        self.page.keyboard.press("n")
        self.name_field().fill("Half")
        self.button("Sign out").click()
        expect(self.page.get_by_role("dialog", name="Discard your changes?")).to_be_visible()
        self.page.keyboard.press("Escape")
        expect(self.name_field()).to_have_value("Half")
        self.button("Sign out").click()
        self.button("Discard").click()
        expect(self.field()).to_be_focused()

    def test_revoked_form(self):
        """If the key is revoked while a form is open, the form is saved after signing in again, or shows an error"""
        [identifier] = self.fill_with("Alpha")
        name = self.open_as("editor", f"/ui/campaigns/{identifier}")
        self.button("Edit").click()
        self.name_field().fill("Beta")
        self.stack.revoke(name)
        self.button("Save").click()
        expect(self.page.locator("#key-error")).to_have_text("The key was revoked.")
        self.page.keyboard.press("Escape")
        expect(self.page.locator("form.form .alert")).to_contain_text("The key was revoked.")
        expect(self.name_field()).to_have_value("Beta")
        self.button("Save").click()
        key, other = self.new_key("editor")
        self.sign_in(key)
        expect(self.page.get_by_role("heading", name="Beta")).to_be_visible()
        expect(self.page.locator(".who")).to_have_text(f"key:{other}, editor")
        self.assertEqual(self.stack.campaign(identifier)["name"], "Beta")

    def test_revoked_list(self):
        """If the key is revoked during inline editing, the input is kept, and saved with another key"""
        [identifier] = self.fill_with("Alpha")
        name = self.open_as("editor")
        self.rows().first.hover()
        self.button("Rename Alpha").click()
        self.name_field().fill("Beta")
        self.stack.revoke(name)
        self.name_field().press("Enter")
        expect(self.page.locator("#key-error")).to_have_text("The key was revoked.")
        expect(self.page.locator(".inline input")).to_have_value("Beta")
        self.sign_in(self.new_key("admin")[0])
        self.expect_names("Beta")
        self.assertEqual(self.stack.campaign(identifier)["name"], "Beta")

    def test_other_role(self):
        """A user who continues with a less privileged key sees what it permits, and an error for what it does not"""
        [identifier] = self.fill_with("Alpha")
        name = self.open_as("editor")
        self.stack.revoke(name)
        self.page.get_by_role("switch").click()
        self.sign_in(self.new_key("reader")[0])
        expect(self.toast("“Alpha” not changed: This needs the role editor; yours is reader.")).to_be_visible()
        expect(self.page.get_by_role("switch")).to_have_count(0)
        expect(self.page.locator("td.active")).to_have_text("Active")


class RoleTests(KeyTest):
    def test_reader(self):
        """A reader sees all data, and no controls or shortcuts that change it"""
        [identifier] = self.fill_with("Alpha", description="Of it")
        self.open_as("reader")
        row = self.rows().first
        expect(row.locator("td.active .read")).to_have_text("Active")
        expect(row.locator("td.description .read")).to_have_text("Of it")
        for part in (self.page.get_by_role("link", name="New campaign"), row.get_by_role("button"), row.get_by_role("switch"),
                     self.page.locator("table").get_by_role("checkbox")):
            expect(part).to_have_count(0)
        keyboard = self.page.keyboard
        keyboard.press("j")
        for key in ("e", "x", "X", "n", "z"):
            keyboard.press(key)
        expect(self.focused()).to_have_text("Alpha")
        expect(self.page.locator(".inline, .bulk:not([hidden]), form.form:visible")).to_have_count(0)
        keyboard.press("?")
        expect(self.page.locator("#help dt:visible")).to_have_text(["/", "jk", "Enter", "Esc", "?"])
        keyboard.press("Escape")
        keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name="Alpha")).to_be_focused()
        keyboard.press("e")
        expect(self.page.locator("article").get_by_role("button")).to_have_count(0)
        self.open("/ui/new")
        expect(self.page.get_by_role("heading", name="You cannot create campaigns")).to_be_visible()
        expect(self.name_field()).to_have_count(0)
        self.stack.refill([])
        self.open()
        expect(self.page.locator(".notice")).to_contain_text("Nobody has created one.")

    def test_editor(self):
        """An editor can change campaigns and delete a single one, but not in bulk"""
        first, second = self.fill_with("Alpha", "Beta")
        self.open_as("editor")
        self.page.get_by_role("checkbox", name="Select all on this page").click()
        expect(self.page.locator(".bulk").get_by_role("button")).to_have_text(["Activate", "Deactivate", ""])
        self.button("Deactivate").click()
        expect(self.toast("2 campaigns deactivated.")).to_be_visible()
        self.page.keyboard.press("z")
        expect(self.page.get_by_role("switch", checked=True)).to_have_count(2)
        self.page.get_by_role("link", name="Alpha").click()
        self.button("Delete").click()
        self.page.locator("dialog").get_by_role("button", name="Delete").click()
        self.expect_names("Beta")

    def test_admin(self):
        """An admin can delete in bulk, also if the page is closed before the time for undo is over"""
        self.fill_with("Alpha", "Beta")
        self.open_as("admin")
        self.page.get_by_role("checkbox", name="Select all on this page").click()
        self.button("Delete").click()
        expect(self.toast("2 campaigns deleted.")).to_be_visible()
        self.page.goto("about:blank")
        self.open()
        expect(self.page.get_by_role("heading", name="No campaigns yet")).to_be_visible()

    def test_new(self):
        """The author of a created campaign is the key"""
        self.stack.refill([])
        name = self.open_as("editor")
        self.button("New campaign").click()
        self.name_field().fill("Alpha")
        self.button("Create").click()
        expect(self.page.locator(".history .author")).to_have_text(f"key:{name}")

    def test_export(self):
        """CSV and JSON exports are authenticated with the key"""
        self.fill_with("Alpha", "Beta")
        self.open_as("reader")
        for form in ("CSV", "JSON"):
            with self.page.expect_download() as download:
                self.button(f"Export as {form}").click()
            text = download.value.path().read_text("utf-8-sig")
            self.assertEqual(text.count("Alpha") + text.count("Beta"), 2)

    def test_off(self):
        """Without authentication, nothing about keys is shown, requested or sent"""
        self.stack = Shared.stack("off")
        self.page = self.open_browser()
        self.fill_with("Alpha")
        asked = []
        self.page.on("request", lambda request: asked.append(request))
        self.open_list()
        self.rows().first.get_by_role("link").click()
        expect(self.page.locator(".history")).to_be_visible()
        expect(self.page.locator(".who, #sign-out, #sign-in, .read").filter(visible=True)).to_have_count(0)
        self.assertEqual([one.url for one in asked if "/me" in one.url or "signin" in one.url or "authorization" in one.headers], [])


class SecrecyTests(KeyTest):
    def test_places(self):
        """The key is sent to the API only, and appears in no URL, title, log, page or storage except the tab's own"""
        [identifier] = self.fill_with("Alpha")
        key, name = self.new_key("admin")
        texts, requests = [], []
        self.page.on("console", lambda message: texts.append(message.text))
        self.page.on("request", lambda request: requests.append(request))
        self.open()
        self.sign_in(key)
        self.expect_names("Alpha")
        texts.append(self.page.title())
        self.page.get_by_role("switch").click()
        self.button("Undo").click()
        with self.page.expect_download() as download:
            self.button("Export as CSV").click()
        texts += [download.value.suggested_filename, download.value.path().read_text()]
        self.page.get_by_role("link", name="Alpha").click()
        expect(self.page.locator(".history summary").first).to_be_visible()
        secret = key.removeprefix("aktify_")[:20]
        for request in requests:
            self.assertNotIn(secret, request.url)
            if "/campaigns/" in request.url and "/ui/" not in request.url and request.headers.get("authorization") is None:
                # The first requests, before the sign-in.
                self.assertEqual(request.response().status, 401)
        sent = {(request.method, request.url.split("?")[0].removeprefix(self.stack.url)) for request in requests
                if request.headers.get("authorization") == f"Bearer {key}"}
        self.assertLessEqual({("GET", "/me"), ("GET", "/campaigns/"), ("PATCH", f"/campaigns/{identifier}"),
                              ("GET", f"/campaigns/{identifier}/history")}, sent)
        self.assertTrue(all("/ui/" not in path for _, path in sent), sent)
        texts += [self.page.title(), self.page.content(), self.page.url, self.page.evaluate("JSON.stringify(localStorage) + document.cookie"),
                  self.page.evaluate("[...document.querySelectorAll('input')].map(one => one.value).join()")]
        for text in texts:
            self.assertNotIn(secret, text)
        self.assertIn(secret, self.page.evaluate("JSON.stringify(sessionStorage)"))

    def test_html(self):
        """The name of a key is displayed as text, whatever it contains"""
        self.fill_with("Alpha")
        name = self.open_as("reader", name="<img src=x onerror=\"document.title='owned'\"><b>")
        expect(self.page.locator(".who")).to_contain_text(name)
        expect(self.page.locator(".who").locator("img, b")).to_have_count(0)
        self.assertEqual(self.page.title(), "Campaigns · Aktify")

    def test_looks(self):
        """axe-core finds no violations in the sign-in and for readers, and both need no horizontal scrolling"""
        key, name = self.new_key("reader", "W" * 80)
        for scheme, viewport in itertools.product(("light", "dark"), (WIDE, NARROW, NARROWEST)):
            [identifier, _] = self.fill_with("Alpha", "Beta", description="Of it")
            self.page = self.open_browser(viewport, color_scheme=scheme, has_touch=viewport != WIDE)
            self.open()
            self.sign_in("aktify_")
            expect(self.page.locator("#key-error")).not_to_be_empty()
            self.look("sign-in", f"{viewport['width']}-{scheme}")
            self.sign_in(key)
            expect(self.rows()).to_have_count(2)
            self.look("reader", f"{viewport['width']}-{scheme}")
            self.open(f"/ui/campaigns/{identifier}")
            expect(self.page.locator(".history summary")).to_be_visible()
            self.look("reader-details", f"{viewport['width']}-{scheme}")


class DocsTests(KeyTest):
    def test_authorize(self):
        """Swagger UI sends the key that was entered with "Authorize", and does not store it"""
        [identifier] = self.fill_with("Alpha")
        key, _ = self.new_key("reader")
        self.open_docs()
        self.try_it_out(identifier)
        expect(self.answer()).to_contain_text("401")
        self.button("Authorize").click()
        dialog = self.page.get_by_role("dialog", name="Available authorizations")
        expect(dialog.get_by_label("API key")).to_have_attribute("type", "password")
        self.sign_in(key)
        expect(dialog).to_contain_text("******")
        dialog.locator(".btn-done").click()
        with self.page.expect_request(f"**/campaigns/{identifier}") as asked:
            self.button("Execute").click()
        self.assertEqual(asked.value.headers["authorization"], f"Bearer {key}")
        expect(self.answer()).to_contain_text("200")
        kept = self.page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie + location")
        self.assertNotIn(key, kept)
        self.open_docs()
        self.try_it_out(identifier)
        expect(self.answer()).to_contain_text("401")

    def test_looks(self):
        """axe-core finds no violations in the authorization dialog, and it needs no horizontal scrolling"""
        for scheme, viewport in itertools.product(("light", "dark"), (WIDE, NARROW, NARROWEST)):
            self.page = self.open_browser(viewport, color_scheme=scheme, has_touch=viewport != WIDE)
            self.open_docs()
            self.button("Authorize").click()
            self.look("docs-authorize", f"{viewport['width']}-{scheme}")

    def open_docs(self):
        self.open("/docs/")
        # On a shared machine, Swagger UI takes some seconds.
        expect(self.page.locator(".opblock").first).to_be_visible(timeout=30_000)

    def try_it_out(self, identifier):
        operation = self.page.locator("#operations-campaigns-getCampaign")
        operation.locator(".opblock-summary-control").click()
        operation.locator(".try-out__btn").click()
        operation.locator("[data-param-name=id] input").fill(str(identifier))
        self.button("Execute").click()

    def answer(self):
        return self.page.locator(".live-responses-table .response-col_status").last
