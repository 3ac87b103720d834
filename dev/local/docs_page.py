"""Uses the docs page as a person does, in a headless Chromium.

    python3 dev/local/run_with_stack.py -- python3 dev/local/docs_page.py

Opens /v1/docs of the stack at BASE_URL, authorizes with API_KEY, executes GET /v1/events and expects
200 with "events". Fails if the page asks another host for anything, or if the browser reports an
error, such as a script that the page's policy forbids. The last view is in .local/docs_page.png.
Exit code 1 says that something is wrong with the page, 2 that it could not be tried.
"""

import os
import sys
from urllib.parse import urlsplit

import browser
from venv import ROOT, STATE

SCREENSHOT = STATE / "docs_page.png"
LOG = STATE / "docs_page.log"
# Swagger UI's own names for the parts of its page.
OPERATION = ".opblock-get:has([data-path='/v1/events'])"
KEY = ".auth-container"


def main() -> int:
    base, key = os.environ.get("BASE_URL"), os.environ.get("API_KEY")
    if not (base and key):
        print("error: BASE_URL and API_KEY must be set; run it so:", file=sys.stderr)
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    chromium = browser.program()
    if chromium is None:
        print(
            "error: there is no Chromium here to try the docs page with; on Debian, "
            "`apt-get install chromium` adds it",
            file=sys.stderr,
        )
        return 2
    STATE.mkdir(exist_ok=True)
    try:
        with browser.page(chromium, LOG) as page:
            return report(page, base, key)
    except browser.Trouble as trouble:
        print(f"error: the docs page could not be tried: {trouble}", file=sys.stderr)
        return 2


def report(page: browser.Page, base: str, key: str) -> int:
    """Tells what is right and wrong with the page, and answers the exit code."""
    wrong = []
    try:
        use(page, base, key)
    except browser.Trouble as trouble:
        wrong.append(str(trouble))
    wrong += complaints(page, base)
    for line in wrong:
        print(f"FAILED {line}", file=sys.stderr)
    if not wrong:
        print("ok     the docs page takes the API key, and GET /v1/events answers 200 on it")
        print(f"ok     all {len(requests(page))} requests went to {base}")
    page.screenshot(SCREENSHOT)
    print(f"       {SCREENSHOT.relative_to(ROOT)} shows it")
    return 1 if wrong else 0


def use(page: browser.Page, base: str, key: str) -> None:
    """Asks for the bookings on the page."""
    page.call(
        "Emulation.setDeviceMetricsOverride", width=1280, height=1000, deviceScaleFactor=1, mobile=False
    )
    page.open(f"{base}/v1/docs")
    page.until(f'document.querySelector("{OPERATION}")', "GET /v1/events")
    page.click(".auth-wrapper .btn.authorize", "the button Authorize")
    page.type(f"{KEY} input", key, "a field for the API key")
    page.click(f"{KEY} .btn.authorize", "the button that takes the API key")
    page.until(
        f"document.querySelector('{KEY}')?.textContent.includes('Logout')", "that the key was taken"
    )
    page.click(".btn-done", "the button Close")

    page.click(f"{OPERATION} .opblock-summary-control", "GET /v1/events")
    # Before this, the button Execute is there, but does nothing.
    read = f"{OPERATION} .opblock-body:not(:has(.opblock-loading-animation))"
    page.click(f"{read} .btn.execute", "the button Execute")
    answer = f'document.querySelector("{OPERATION} .live-responses-table tbody")'
    status = page.until(f"{answer}?.querySelector('.response-col_status')?.textContent", "an answer")
    if not status.startswith("200"):
        raise browser.Trouble(f"GET /v1/events answers {status} on the page")
    body = f"{answer}.querySelector('.response-col_description pre')?.textContent"
    if '"events"' not in page.until(body, "the answer's body"):
        raise browser.Trouble("the page shows an answer without events")


def complaints(page: browser.Page, base: str) -> list[str]:
    """What there is to say against the page, by the browser and by us."""
    ours = urlsplit(base).netloc
    found = [
        f"the page asked another host: {url}" for url in requests(page) if urlsplit(url).netloc != ours
    ]
    for event in page.events:
        told = event["params"]
        match event["method"]:
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                found.append(f"the browser says: {told['entry']['text']} {told['entry'].get('url', '')}")
            case "Runtime.exceptionThrown":
                found.append(f"a script fails: {told['exceptionDetails']['text']}")
            case "Runtime.consoleAPICalled" if told["type"] == "error":
                said = (part.get("value") or part.get("description") for part in told["args"])
                found.append(f"a script says: {' '.join(map(str, said))}")
    return found


def requests(page: browser.Page) -> list[str]:
    """Every address that the page asked for; what a `data:` URL holds is asked of nobody."""
    sent = (
        event["params"]["request"]["url"]
        for event in page.events
        if event["method"] == "Network.requestWillBeSent"
    )
    return [url for url in sent if urlsplit(url).scheme not in ("data", "blob")]


if __name__ == "__main__":
    sys.exit(main())
