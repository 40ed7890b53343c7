"""The page of `aiopool timeline` in a real Chromium, as a person would use it. Run by .ci/timeline.

Usage: timeline.py CHROMEDRIVER_PORT FOLDER: the folder has the pages, and gets the screenshots.
"""

import base64
import json
import sys
import time
import urllib.request

PORT, FOLDER = sys.argv[1:]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --hide-scrollbars""".split()
KEYS = {"enter": "\ue007", "escape": "\ue00c", "control": "\ue009", "backspace": "\ue003"}


def call(method, path, body=None):
    """One command of WebDriver."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.load(reply)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()[:2000]) from None


class Browser:
    def __enter__(self):
        options = {"binary": "/usr/bin/chromium", "args": [*FLAGS, f"--user-data-dir={FOLDER}/profile"]}
        logs = {"browser": "ALL", "performance": "ALL"}
        wanted = {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": logs}}
        self.path = "/session/" + call("POST", "/session", {"capabilities": wanted})["sessionId"]
        return self

    def __exit__(self, *_):
        call("DELETE", self.path)

    def post(self, path, **body):
        return call("POST", self.path + path, body)

    def js(self, script, *args):
        return self.post("/execute/sync", script=script, args=list(args))

    def cdp(self, cmd, **params):
        return self.post("/goog/cdp/execute", cmd=cmd, params=params)

    def open(self, page):
        self.page = page
        self.post("/url", url=f"file://{FOLDER}/{page}.html")
        self.until("it has drawn", lambda: self.view())

    def size(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def theme(self, name):
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def find(self, selector):
        return self.post("/element", using="css selector", value=selector)[ELEMENT]

    def click(self, selector):
        self.post(f"/element/{self.find(selector)}/click")

    def keys(self, text):
        actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.post("/actions", actions=[{"type": "key", "id": "keys", "actions": actions}])

    def text(self, selector):
        return self.js("return document.querySelector(arguments[0]).textContent", selector)

    def view(self):
        """The part of the time that is shown, or None before anything is drawn."""
        data = self.js("return {...document.getElementById('scroller').dataset}")
        return (float(data["from"]), float(data["to"])) if data else None

    def selected(self):
        return int(self.js("return document.getElementById('scroller').dataset.selected"))

    def pointer(self, x, y, *steps):
        """Moves the mouse to a place of the picture, and takes steps from there."""
        box = self.js("const b = document.getElementById('rows').getBoundingClientRect(); return [b.left, b.top]")
        move = {"type": "pointerMove", "duration": 0, "x": round(box[0] + x), "y": round(box[1] + y)}
        self.post("/actions", actions=[{"type": "pointer", "id": "mouse", "actions": [move, *steps]}])

    def wheel(self, x, y, delta):
        box = self.js("const b = document.getElementById('rows').getBoundingClientRect(); return [b.left, b.top]")
        self.cdp("Input.dispatchMouseEvent", type="mouseWheel", x=box[0] + x, y=box[1] + y, deltaX=0, deltaY=delta, modifiers=2)

    def until(self, what, holds):
        for _ in range(400):
            if holds():
                return
            time.sleep(0.05)
        raise AssertionError(f"{self.page}: not within 20 s: {what}")

    def shot(self, name, whole=False):
        time.sleep(0.1)
        params = {"captureBeyondViewport": True, "clip": self.whole()} if whole else {}
        with open(f"{FOLDER}/{name}.png", "wb") as file:
            file.write(base64.b64decode(self.cdp("Page.captureScreenshot", format="png", **params)["data"]))

    def whole(self):
        width, height = self.js("return [document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        return {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}

    def check_silence(self):
        """Nothing is said on the console, and nothing but the page is loaded."""
        log = call("POST", f"{self.path}/se/log", {"type": "browser"})
        assert not log, log
        for entry in call("POST", f"{self.path}/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] != "Network.requestWillBeSent":
                continue
            url, of = message["params"]["request"]["url"], message["params"]["documentURL"]
            # The browser's own first tab is not ours.
            assert url.startswith("data:") or url == of or not of.startswith("file:"), url


def tasks_of(browser):
    return browser.js("return JSON.parse(document.getElementById('run').textContent).tasks")


def check_escape(browser):
    """Names that are HTML, script or control characters are only text."""
    browser.open("awkward")
    title = browser.js("return document.title")
    assert title == "timeline-awkward · aiopool timeline", title
    tasks = tasks_of(browser)
    name = "</script><script>document.title='broken'</script>"
    assert name in tasks["name"], tasks["name"][:5]
    search(browser, "document.title='broken'")
    browser.keys([KEYS["enter"]])
    browser.until("a task is selected", lambda: browser.selected() >= 0)
    assert "document.title='broken'" in browser.text("#details")
    assert browser.js("return document.querySelectorAll('img').length") == 0
    assert browser.js("return document.title") == title
    clear(browser)


def check_content(browser):
    """The page says what the trace has: the numbers on top, the plots, and the table."""
    tasks, outcomes = tasks_of(browser), browser.js("return JSON.parse(document.getElementById('run').textContent).outcomes")
    assert "252 tasks of the pool awkward" in browser.text("#summary"), browser.text("#summary")
    failed = sum(outcomes[outcome] not in ("completed", "unfinished") for outcome in tasks["outcome"])
    figures = browser.js("return [...document.querySelectorAll('#figures > div')].map(d => [...d.children].map(c => c.textContent))")
    told = {figure[0]: figure[1] for figure in figures}
    assert told["Failed"] == str(failed) and failed > 20, (told, failed)
    rows = browser.js("return [...document.querySelectorAll('#groups tbody tr')].map(r => r.textContent)")
    assert len(rows) == 4 and any("thumbnails" in row for row in rows), rows
    assert browser.js("return document.querySelectorAll('#groups rect.median').length") == 2 * len(rows)
    legend = browser.text("#legend")
    for word in ["api", "has lent its permit", "panicked", "timed out", "cancelled", "unfinished"]:
        assert word in legend, (word, legend)
    labels = browser.js("return makeLanes(readRun(), rankGroups(readRun())).map(lane => lane.label)")
    assert {"waiting", "permit 1", "permit 5", "lent 1", "api"} <= set(labels), labels


def search(browser, text):
    browser.click("#search")
    browser.keys(text)


def clear(browser):
    browser.click("#search")
    browser.js("document.getElementById('search').select()")
    browser.keys([KEYS["backspace"], KEYS["escape"]])
    browser.until("all tasks are back", lambda: browser.text("#found") == "")
    browser.keys([KEYS["escape"]])


def check_zoom(browser):
    """Keys, buttons, wheel and drag change what is shown, and 0 brings all back."""
    browser.keys("0")
    browser.until("all is shown", lambda: browser.view()[0] <= 0 or True)
    everything = browser.view()
    length = everything[1] - everything[0]
    browser.keys("ww")
    browser.until("w zooms in", lambda: abs((browser.view()[1] - browser.view()[0]) / length - 0.36) < 0.01)
    before = browser.view()
    browser.keys("d")
    browser.until("d moves on", lambda: browser.view()[0] > before[0])
    browser.keys("a")
    browser.until("a moves back", lambda: abs(browser.view()[0] - before[0]) < length * 1e-6)
    drag = [{"type": "pointerDown", "button": 0}, {"type": "pointerMove", "duration": 0, "origin": "pointer", "x": -200, "y": 0}, {"type": "pointerUp", "button": 0}]
    browser.pointer(600, 120, *drag)
    browser.until("a drag moves", lambda: browser.view()[0] > before[0])
    assert browser.selected() < 0, "a drag is no click"
    before = browser.view()
    browser.wheel(600, 120, -300)
    browser.until("ctrl and the wheel zoom", lambda: browser.view()[1] - browser.view()[0] < (before[1] - before[0]) * 0.8)
    browser.click("#out")
    browser.click("#fit")
    browser.until("all is shown again", lambda: browser.view() == everything)
    for _ in range(60):
        browser.click("#in")
    browser.until("there is a closest", lambda: browser.view()[1] - browser.view()[0] < 1)
    browser.keys("0")
    browser.until("0 shows all", lambda: browser.view() == everything)


def check_search(browser):
    """A search counts what matches, N goes from one to the next, and the table shows only those."""
    tasks = tasks_of(browser)
    expected = sum("job 1" in name for name in tasks["name"])
    search(browser, "JOB 1")
    browser.until("matches are counted", lambda: browser.text("#found") == f"{expected} found")
    assert f"of {expected} tasks" in browser.text("#page"), browser.text("#page")
    browser.keys([KEYS["enter"]])
    browser.until("the first is selected", lambda: browser.selected() >= 0)
    first = browser.selected()
    assert "job 1" in tasks["name"][first]
    browser.shot("search")
    browser.keys([KEYS["escape"], "n"])
    browser.until("n goes on", lambda: browser.selected() not in (-1, first) and browser.text("#found") == f"2 of {expected}")
    browser.keys(["N"])
    browser.until("N goes back", lambda: browser.selected() == first)
    browser.keys("/")
    browser.js("document.getElementById('search').select()")
    browser.keys("no such task")
    browser.until("nothing is found", lambda: browser.text("#found") == "none")
    assert browser.text("#page") == "No task"
    clear(browser)
    browser.keys("0")
    search(browser, "panicked")
    browser.until("outcomes are found", lambda: browser.text("#found") == "10 found")
    clear(browser)


def check_pointer(browser):
    """The pointer on a task tells of it, and a click selects it. The table does so too."""
    browser.keys("0")
    place = browser.js("""
        const run = readRun(), lanes = makeLanes(run, rankGroups(run));
        const lane = lanes.find(lane => lane.label === 'permit 1'), gutter = 104;
        const slice = lane.slices.reduce((a, b) => run.slices.to[b] - run.slices.from[b] > run.slices.to[a] - run.slices.from[a] ? b : a);
        const [from, to] = ['from', 'to'].map(name => Number(document.getElementById('scroller').dataset[name]));
        const middle = (run.slices.from[slice] + run.slices.to[slice]) / 2;
        const width = document.getElementById('scroller').clientWidth - gutter;
        return [gutter + (middle - from) / (to - from) * width, 24 + lane.y + lane.h / 2, run.slices.task[slice]]""")
    browser.pointer(place[0], place[1])
    name = tasks_of(browser)["name"][place[2]]
    browser.until("a tip tells the name", lambda: browser.text("#tip b") == name)
    assert "waited" in browser.text("#tip")
    browser.pointer(place[0], place[1], {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0})
    browser.until("it is selected", lambda: browser.selected() == place[2])
    assert name in browser.text("#details")
    browser.keys([KEYS["escape"]])
    browser.until("escape lets go", lambda: browser.selected() == -1)
    assert browser.js("return document.getElementById('details').offsetHeight") == 0
    browser.click("#tasks th:nth-last-child(2) button")
    waited = browser.js("return [...document.querySelectorAll('#tasks tbody tr')].map(r => r.children[5].textContent)")
    assert len(waited) == 25 and browser.text("#tasks th[aria-sort=descending]") == "Waited", waited
    browser.click("#later")
    assert "26–50" in browser.text("#page")
    browser.click("#tasks tbody tr")
    browser.until("a row selects its task", lambda: browser.selected() >= 0)
    browser.keys([KEYS["escape"]])


def check_themes(browser):
    """Dark is dark and light is light, at once, in the page and on the canvas."""
    def brightness():
        colour = browser.js("return getComputedStyle(document.body).backgroundColor")
        drawn = browser.js("""
            const copy = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
            copy.drawImage(document.getElementById('rows'), 0, 0);
            return [...copy.getImageData(0, 0, 1, 1).data]""")
        return sum(int(part) for part in colour.strip("rgb()").split(",")) / 3, sum(drawn[:3]) / 3
    for theme, fits in [("dark", lambda level: level < 60), ("light", lambda level: level > 200)]:
        browser.theme(theme)
        browser.until(f"it is {theme}", lambda: all(fits(level) for level in brightness()))


def contrast(browser, colour, paper):
    """The contrast of two variables of the style sheet, as WCAG counts it."""
    def luminance(name):
        code = browser.js("return getComputedStyle(document.documentElement).getPropertyValue(arguments[0])", name).strip()
        parts = [int(code[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    bright, dark = sorted([luminance(colour), luminance(paper)], reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def check_contrast(browser):
    for theme in ("light", "dark"):
        browser.theme(theme)
        for paper in ("--page", "--card", "--mark"):
            assert contrast(browser, "--ink", paper) >= 7, (theme, paper)
        for colour in ("--soft", "--bad", "--accent"):
            for paper in ("--page", "--card"):
                assert contrast(browser, colour, paper) >= 4.5, (theme, colour, paper)
        for colour in (*[f"--c{i}" for i in range(8)], "--rest", "--late", "--off", "--open", "--waiting"):
            assert contrast(browser, colour, "--card") >= 3, (theme, colour)
        for colour in (f"--c{i}" for i in range(8)):
            assert contrast(browser, "--on-bar", colour) >= 3.5, (theme, colour, contrast(browser, "--on-bar", colour))


def check_sizes(browser):
    """Nothing is wider than the page, wide or narrow, light or dark."""
    for theme in ("light", "dark"):
        browser.theme(theme)
        for width, height in [(1400, 900), (420, 800)]:
            browser.size(width, height)
            browser.until("it fits", lambda: browser.js("return document.documentElement.scrollWidth") <= width)
            browser.shot(f"{browser.page}-{width}-{theme}", whole=True)
    browser.size(1400, 900)
    browser.theme("light")


def check_large(browser):
    """A hundred thousand tasks are there, quick to draw, and searched at once."""
    begin = time.monotonic()
    browser.open("large")
    opened = time.monotonic() - begin
    assert len(tasks_of(browser)["id"]) == 100_000
    search(browser, "host-7")
    browser.until("a group is found", lambda: browser.text("#found") == "2\u202f500 found")
    browser.keys([KEYS["enter"]])
    browser.until("one is selected", lambda: browser.selected() >= 0)
    clear(browser)
    browser.keys("0")
    frame = browser.js("""
        const run = readRun(), ranks = rankGroups(run), picture = new Picture(run, makeLanes(run, ranks), ranks);
        const begin = performance.now();
        for (let i = 0; i < 5; i += 1) picture.paint();
        return (performance.now() - begin) / 5""")
    print(f"timeline: 100000 tasks open in {opened:.1f} s, and are drawn in {frame:.0f} ms")
    assert opened < 20 and frame < 500, (opened, frame)


def check_notices(browser):
    browser.open("cut")
    assert "The trace is cut" in browser.text("#notice") and "not in the trace" in browser.text("#notice")
    browser.open("broken-off")
    assert "The end of the trace is missing" in browser.text("#notice")
    browser.open("nothing")
    assert "There is no task in the trace" in browser.text("#notice")
    browser.check_silence()


with Browser() as browser:
    browser.size(1400, 900)
    browser.theme("light")
    check_escape(browser)
    check_content(browser)
    check_zoom(browser)
    check_search(browser)
    check_pointer(browser)
    check_themes(browser)
    check_contrast(browser)
    check_sizes(browser)
    browser.check_silence()
    check_large(browser)
    check_sizes(browser)
    browser.check_silence()
    browser.open("checksum")
    check_sizes(browser)
    browser.check_silence()
    check_notices(browser)
print("timeline: seen, searched and zoomed, in light and dark")
