"""A user without a mouse: moves the focus, and looks at each place where it stops."""

import re

from playwright.sync_api import Page, TimeoutError

SNAPSHOT_MILLISECONDS = 5000
MAX_STOPS = 120
LOOK = """() => {
  const focused = document.activeElement;
  const looks = () => {
    const styles = [];
    for (let part = focused; part && styles.length < 12; part = part.parentElement) {
      const { outline, boxShadow, borderColor, backgroundColor } = getComputedStyle(part);
      styles.push(outline, boxShadow, borderColor, backgroundColor);
    }
    return styles.join();
  };
  const { x, y, width, height } = focused.getBoundingClientRect();
  const inside = x + width > 0 && y + height > 0 && x < innerWidth && y < innerHeight;
  const withFocus = looks();
  const isFile = focused.type === "file";
  focused.blur();
  const marked = looks() !== withFocus;
  focused.focus({ preventScroll: true });
  const box = isFile ? focused.parentElement.getBoundingClientRect() : { width, height };
  return { inside, marked, size: Math.min(box.width, box.height) };
}"""


class Keyboard:
    """Presses keys on a page. ``stops`` are the names of all places where the focus was."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.stops: list[str] = []

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        """Replace what is in the focused box."""
        self.press("Control+a")
        self.page.keyboard.type(text)

    def tab_to(self, place: str) -> None:
        """Press Tab until the focus is at this role and name, such as 'button "Save"'."""
        for _ in range(MAX_STOPS):
            self.press("Tab")
            if self.look().startswith(place):
                return
        raise AssertionError(f"{place} is not among {self.stops[-MAX_STOPS:]}")

    def look(self) -> str:
        """Return the role and name of the focused element, which must be visible and named."""
        focused = self.page.locator(":focus")
        if not focused.count():  # it is at the end of the page
            return ""
        try:
            lines = focused.aria_snapshot(timeout=SNAPSHOT_MILLISECONDS).splitlines()
        except TimeoutError:
            lines = []
        if not lines:  # it has just been replaced
            return ""
        name = lines[0].lstrip("- '")
        seen = self.page.evaluate(LOOK)
        assert re.match(r'\w+ "[^"]+', name), f"{name} has no name"
        assert seen["inside"], f"{name} is outside the window"
        assert seen["size"] > 8, f"{name} is too small"
        assert seen["marked"], f"{name} does not show that it has the focus"
        self.stops.append(name)
        return name
