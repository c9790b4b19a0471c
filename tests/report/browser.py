"""A headless Chromium for tests, and what they ask of it."""

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars"),
)

# Every HTML element that shows text of its own: its text, the contrast with the
# nearest background behind it, and whether it is wider than the window.
LOOK = """
const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) =>
  0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
const found = [];
for (const one of document.querySelectorAll("body *")) {
  const own = [...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  if (!own || one.closest("svg, script") || !one.checkVisibility()) continue;
  let behind = one, colour;
  do {
    colour = numbers(getComputedStyle(behind).backgroundColor);
    behind = behind.parentElement;
  } while (colour[3] === 0 && behind);
  const pair = [luminance(numbers(getComputedStyle(one).color)), luminance(colour)];
  const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  found.push([one.textContent.trim().slice(0, 40), contrast]);
}
return found;
"""


class Browser:
    """One window on one page."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path, width: int = 1440, *, dark: bool = False) -> None:
        """Show a file in a window so wide, once its scripts have run."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [scheme]}
        )
        self.logs()
        self.driver.get(page.as_uri())
        self.wait(
            "[...document.querySelectorAll('[aria-live]')].every(e => e.textContent)"
        )

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition: str) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 20).until(lambda _: self.run(f"return {condition}"))

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def logs(self) -> tuple[list[str], list[str]]:
        """What the console said and which addresses were asked for, since last."""
        said = [one["message"] for one in self.driver.get_log("browser")]
        events = [
            json.loads(one["message"])["message"]
            for one in self.driver.get_log("performance")
        ]
        asked = [
            one["params"]["request"]["url"]
            for one in events
            if one["method"] == "Network.requestWillBeSent"
        ]
        return said, asked

    def printed(self, path: Path) -> None:
        """The page as a PDF, as it would leave a printer."""
        pdf = self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
        path.write_bytes(base64.b64decode(pdf["data"]))

    def screenshot(self, path: Path) -> None:
        """The whole page, however long."""
        size = "document.documentElement"
        width, height = self.run(f"return [innerWidth, {size}.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        taken = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
        )
        path.write_bytes(base64.b64decode(taken["data"]))


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile. Skips where none is installed."""
    webdriver = pytest.importorskip(
        "selenium.webdriver", reason="selenium is not installed: it is in [test]"
    )
    programs = [shutil.which("chromium"), shutil.which("chromedriver")]
    if not all(programs):
        pytest.skip("no Chromium: apt install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location, driver_path = programs
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    logs = {"browser": "ALL", "performance": "ALL"}
    options.set_capability("goog:loggingPrefs", logs)
    service = webdriver.ChromeService(executable_path=driver_path)
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield Browser(driver)
    finally:
        driver.quit()
