"""A real browser on the shop's page: Selenium drives Chromium, one browser for all tests.
Run it: python -m unittest examples.test_browser"""

import shutil
import struct
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from liveserver import LiveServerTestCase

try:
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.wait import WebDriverWait
except ImportError:
    webdriver = None  # type: ignore[assignment]  # the tests are skipped then

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


def start_browser() -> "webdriver.Chrome":
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER or ""
    options.add_argument("--headless=new")
    options.add_argument("--window-size=900,700")
    options.add_argument("--no-sandbox")  # root has none, and neither have most containers
    options.add_argument("--disable-dev-shm-usage")  # it is small in most containers
    # Selenium is told where the driver is: else it would look for one, and download it.
    browser = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    browser.set_page_load_timeout(30)
    return browser


@unittest.skipIf(webdriver is None, "needs selenium")
@unittest.skipUnless(BROWSER and DRIVER, "needs chromium and chromedriver")
class BrowserTests(LiveServerTestCase):
    app = "examples.shop.main:app"

    # For a browser in a container, which knows this machine by another name; see
    # docs/howto/browser.md:
    # server_options = {"host": "0.0.0.0", "public_host": "host.docker.internal"}

    browser: ClassVar["webdriver.Chrome"]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.browser = start_browser()
        cls.addClassCleanup(cls.browser.quit)  # runs before the server stops

    def setUp(self) -> None:
        super().setUp()
        for item in self.http.get("/items").json():  # what other tests have left
            self.http.delete(f"/items/{item['id']}")

    def open_page(self) -> None:
        self.browser.get(self.base_url)
        self.wait_for_text("feed", "live")

    def wait_for_text(self, element_id: str, text: str) -> None:
        element = self.browser.find_element(By.ID, element_id)
        WebDriverWait(self.browser, 20, poll_frequency=0.05).until(
            lambda _: element.text == text, f"#{element_id} never was {text!r}"
        )

    def add_through_the_form(self, name: str, price: str) -> None:
        self.browser.find_element(By.NAME, "name").send_keys(name)
        self.browser.find_element(By.NAME, "price").send_keys(price)
        self.browser.find_element(By.TAG_NAME, "button").click()

    def test_the_list(self) -> None:
        self.http.post("/items", json={"name": "Tea", "price": 350})
        self.http.post("/items", json={"name": "Espresso machine", "price": 124900})
        self.open_page()
        self.wait_for_text("items", "Tea €3.50\nEspresso machine €1,249.00")

    def test_an_empty_shop(self) -> None:
        self.open_page()
        self.wait_for_text("empty", "There is nothing to buy yet.")
        self.assertFalse(self.browser.find_element(By.TAG_NAME, "table").is_displayed())

    def test_the_form(self) -> None:
        self.open_page()
        self.add_through_the_form("Coffee", "4.20")
        self.wait_for_text("items", "Coffee €4.20")
        items = self.http.get("/items").json()
        self.assertEqual([(item["name"], item["price"]) for item in items], [("Coffee", 420)])

    def test_a_price_that_the_shop_refuses(self) -> None:
        self.open_page()
        self.add_through_the_form("Moon", "1e17")
        self.wait_for_text(
            "problem", "price: Input should be less than or equal to 9007199254740991"
        )
        self.assertEqual(self.http.get("/items").json(), [])

    def test_another_client_is_seen_live(self) -> None:
        self.open_page()
        self.browser.execute_script("window.opened = 'once'")

        tea = self.http.post("/items", json={"name": "Tea", "price": 350}).json()
        self.wait_for_text("items", "Tea €3.50")
        self.http.put(f"/items/{tea['id']}", json={"name": "Tea", "price": 400})
        self.wait_for_text("items", "Tea €4.00")
        self.http.delete(f"/items/{tea['id']}")
        self.wait_for_text("empty", "There is nothing to buy yet.")

        self.assertEqual(self.browser.execute_script("return window.opened"), "once")

    def test_the_page_connects_again(self) -> None:
        self.open_page()
        self.server.drop_connections()
        self.http.post("/items", json={"name": "Tea", "price": 350})
        self.wait_for_text("items", "Tea €3.50")

    def test_a_name_is_text_even_if_it_looks_like_markup(self) -> None:
        self.open_page()
        self.add_through_the_form("<b>Tea</b>", "3.50")
        self.wait_for_text("items", "<b>Tea</b> €3.50")
        self.assertEqual(self.browser.find_elements(By.CSS_SELECTOR, "#items b"), [])

    def test_a_screenshot(self) -> None:
        for name, price in [("Tea", 350), ("Coffee", 420), ("Espresso machine", 124900)]:
            self.http.post("/items", json={"name": name, "price": price})
        self.open_page()
        path = Path(self.enterContext(TemporaryDirectory()), "shop.png")
        self.browser.save_screenshot(str(path))
        png = path.read_bytes()
        self.assertEqual(png[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", png[16:24])
        self.assertGreater(width * height, 400_000)
        self.assertGreater(len(png), 10_000)  # a blank one has less than 3,000 bytes
