"""A real browser on the shop's page: Playwright drives Chromium, with a fresh page for each test.
Run it: python -m unittest examples.test_playwright"""

import shutil
import unittest
from typing import ClassVar

from liveserver import LiveServerTestCase

try:
    from playwright.sync_api import Browser, Page, expect, sync_playwright
except ImportError:
    sync_playwright = None  # type: ignore[assignment]  # the tests are skipped then

if sync_playwright is not None:
    expect.set_options(timeout=20_000)  # milliseconds: a busy machine takes its time

# A browser that the system has. Playwright's own would come by `playwright install chromium`.
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@unittest.skipIf(sync_playwright is None, "needs playwright")
@unittest.skipUnless(BROWSER, "needs chromium")
class PlaywrightTests(LiveServerTestCase):
    app = "examples.shop.main:app"

    browser: ClassVar["Browser"]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        playwright = cls.enterClassContext(sync_playwright())
        # root has no sandbox, and neither have most containers, where /dev/shm is small too.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        cls.browser = playwright.chromium.launch(executable_path=BROWSER, args=arguments)
        cls.addClassCleanup(cls.browser.close)  # runs before the server stops

    def setUp(self) -> None:
        super().setUp()
        for item in self.http.get("/items").json():  # what other tests have left
            self.http.delete(f"/items/{item['id']}")

    def open_page(self) -> "Page":
        page = self.browser.new_page(base_url=self.base_url)  # with cookies of its own
        self.addCleanup(page.close)
        page.goto("/")
        expect(page.locator("#feed")).to_have_text("live")
        return page

    def test_the_form(self) -> None:
        page = self.open_page()
        page.get_by_label("Name").fill("Coffee")
        page.get_by_label("Price in €").fill("4.20")
        page.get_by_role("button").click()
        expect(page.get_by_role("row", name="Coffee €4.20")).to_be_visible()
        items = self.http.get("/items").json()
        self.assertEqual([(item["name"], item["price"]) for item in items], [("Coffee", 420)])

    def test_another_client_is_seen_live(self) -> None:
        page = self.open_page()
        self.http.post("/items", json={"name": "Tea", "price": 350})
        expect(page.get_by_role("row", name="Tea €3.50")).to_be_visible()

    def test_the_page_connects_again(self) -> None:
        page = self.open_page()
        self.server.drop_connections()
        self.http.post("/items", json={"name": "Tea", "price": 350})
        expect(page.get_by_role("row", name="Tea €3.50")).to_be_visible()

    def test_nothing_is_written_to_the_console(self) -> None:
        page = self.browser.new_page(base_url=self.base_url)
        self.addCleanup(page.close)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.goto("/")
        expect(page.locator("#feed")).to_have_text("live")
        self.assertEqual(errors, [])
