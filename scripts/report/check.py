"""Opens the HTML report from disk in headless Chromium and checks what a reader would meet.

No console error, no request beyond the file itself, every link leads somewhere, nothing wider than the window, no text
cut off in a figure, no violation of the accessibility rules of axe-core, in light and dark, narrow and wide, with and
without the script; tables sort and filter. Leaves screenshots to look at.

    .venv/browser/bin/python scripts/report/check.py results/report/index.html
"""

import argparse
import os
import re
import shutil
import sys
from pathlib import Path

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell"]
MISSING = """check: no Chromium here, so nothing was checked.
  Debian, Ubuntu as root:  apt-get install --no-install-recommends chromium fonts-liberation
  elsewhere:               any Chromium or Chrome; name it by CHROMIUM=/path/to/it
"""
WIDTHS = [400, 800, 1200, 1600]
MOST_BYTES = 5_000_000

problems = []


def problem(text):
    problems.append(text)
    print(f"  PROBLEM {text}", flush=True)


def browser_path():
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        sys.exit(MISSING)
    return found


def check_file(report):
    """What can be seen without a browser."""
    text = report.read_text(encoding="utf-8")
    if len(text.encode()) > MOST_BYTES:
        problem(f"the page has {len(text.encode())} bytes, more than {MOST_BYTES}")
    ids = re.findall(r'\sid="([^"]+)"', text)
    for twice in sorted({name for name in ids if ids.count(name) > 1}):
        problem(f"id {twice} stands twice")
    for link in sorted(set(re.findall(r'href="([^"]*)"', text))):
        if link.startswith("#"):
            if link != "#all" and link[1:] not in ids:
                problem(f"link {link} leads nowhere")
        elif not link.startswith("data:text/csv") and not (report.parent / link).is_file():
            problem(f"no file behind link {link[:80]}")
    for address in set(re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]*', text)):
        problem(f"the page names another host: {address}")


def listen(page, where):
    page.on("console", lambda m: m.type in ("error", "warning") and problem(f"{where}: console: {m.text}"))
    page.on("pageerror", lambda error: problem(f"{where}: script: {error}"))
    page.on("requestfailed", lambda request: problem(f"{where}: request failed: {request.url[:100]}"))
    page.on("request", lambda r: r.url.startswith(("file:", "data:")) or problem(f"{where}: request: {r.url[:100]}"))


OVERFLOW = """() => {
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide <= 0) return [];
  const edge = document.documentElement.clientWidth;
  const found = [...document.querySelectorAll('main *, header *')].filter((e) =>
    e.getBoundingClientRect().right > edge + 1 && !e.closest('.scroll') && e.offsetParent);
  return [wide + ' px too wide', ...found.slice(0, 5).map((e) => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40))];
}"""
CUT = """() => [...document.querySelectorAll('figure svg')].filter((s) => s.clientWidth).flatMap((svg) => {
  const box = svg.viewBox.baseVal;
  const outer = svg.getBoundingClientRect(), scale = outer.width / box.width;
  return [...svg.querySelectorAll('text')].filter((t) => {
    const r = t.getBoundingClientRect();
    return r.left < outer.left - 1.5 || r.right > outer.right + 1.5 || r.top < outer.top - 1.5 || r.bottom > outer.bottom + 1.5;
  }).map((t) => svg.closest('figure').id + ': ' + t.textContent);
})"""
PICTURES = "() => [...document.images].filter((i) => !i.complete || !i.naturalWidth).map((i) => i.src.slice(0, 80))"


def page_ids(page):
    return page.eval_on_selector_all(".page", "all => all.map((one) => one.id)")


def samples(page):
    """One page of each kind, and the longest hypotheses: what differs by width and colour differs there."""
    ids = page_ids(page)
    models = [name for name in ids if name.startswith("model-")]
    wanted = {"h13", "h17", "h18", *models[:1]}
    return [name for name in ids if name in wanted or not (name in models or re.fullmatch(r"h\d+", name))]


def most(page):
    """Every page, of the models' (each takes a quarter of a minute) the first ten, the last and the one of the longest name."""
    ids = page_ids(page)
    models = [name for name in ids if name.startswith("model-")]
    looked_at = {*models[:10], *models[-1:], *sorted(models, key=len)[-1:]}
    return [name for name in ids if name not in models or name in looked_at]


def visit(page, name):
    page.evaluate("(name) => { location.hash = '#' + name; }", name)
    page.wait_for_function("(name) => document.getElementById(name).classList.contains('shown')", arg=name)


def look(page, where, shots, name, full=True):
    for text in page.evaluate(OVERFLOW):
        problem(f"{where}: {text}")
    for text in page.evaluate(PICTURES):
        problem(f"{where}: picture missing: {text}")
    # The whole of a long page takes seconds, and half a minute where the machine has other work.
    page.screenshot(path=shots / f"{name}.png", full_page=full, timeout=180_000)


def check_pages(browser, address, shots):
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            if width in (800, 1600) and scheme == "dark":
                continue
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
            page = context.new_page()
            listen(page, f"{width} px, {scheme}")
            page.goto(address)
            some = samples(page)
            # Every page but most of the models' once, samples in every other width and colour.
            for name in most(page) if (width, scheme) == (1200, "light") else some:
                where = f"{name}, {width} px, {scheme}"
                visit(page, name)
                whole = name in some and scheme == "light" and width in (400, 1200)
                look(page, where, shots, f"{width}-{scheme}-{name}", full=whole)
                if width == 1200:
                    for cut in page.evaluate(CUT):
                        problem(f"{where}: text leaves its figure: {cut}")
            # Pages of one kind are made by the same code.
            for name in some if width == 1200 else []:
                check_rules(context, axe, address, name, f"{name}, {width} px, {scheme}")
            context.close()


ALONE = """(name) => {
  for (const other of document.querySelectorAll('.page')) if (other.id !== name) other.remove();
}"""


def check_rules(context, axe, address, name, where):
    """The rules of axe-core on one page. The others, hidden but ten times as much, are taken out: the rules would take a minute."""
    page = context.new_page()
    page.goto(address)
    visit(page, name)
    page.evaluate(ALONE, name)
    for violation in axe.run(page).response["violations"]:
        nodes = [node["html"][:120] for node in violation["nodes"][:3]]
        problem(f"{where}: {violation['id']} ({len(violation['nodes'])}): {violation['help']} {nodes}")
    page.close()


def check_links(browser, address):
    """Following a link shows its target, and Back comes back."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    listen(page, "links")
    page.goto(address)
    links = page.eval_on_selector_all("a[href^='#']", "all => [...new Set(all.map((a) => a.hash))]")
    hidden = page.evaluate(
        """(links) => new Promise((done) => {
          const dead = [];
          const next = (at) => {
            if (at === links.length) return done(dead);
            location.hash = links[at];
            setTimeout(() => {
              const target = links[at] === '#all' ? document.body : document.getElementById(links[at].slice(1));
              if (!target || !target.getClientRects().length) dead.push(links[at]);
              next(at + 1);
            }, 0);
          };
          next(0);
        })""",
        links)
    for link in hidden:
        problem(f"link {link} shows nothing")
    print(f"  {len(links)} links within the page")
    visit(page, "methods")
    visit(page, "report")
    page.go_back()
    page.wait_for_function("document.getElementById('methods').classList.contains('shown')")
    page.close()


def cells(page, table, column):
    return page.eval_on_selector_all(
        f"{table} tbody tr:not([hidden])",
        "(rows, at) => rows.map((row) => row.cells[at].dataset.k || row.cells[at].textContent.trim())", column)


def check_tables(browser, address):
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    listen(page, "tables")
    page.goto(address)
    if page.locator("#report [data-filter]").count():
        table = ":nth-match(#report [data-filter], 1) table"
        button = page.locator(f"{table} thead button").first
        before = cells(page, table, 0)
        button.click()
        natural = lambda text: (re.sub(r"\d+.*", "", text), int(re.sub(r"\D", "", text) or 0))
        up = cells(page, table, 0)
        if up != sorted(before, key=natural):
            problem(f"ids do not sort as numbers: {up}")
        button.press("Enter")
        if cells(page, table, 0) != up[::-1]:
            problem("a second time does not sort downwards")
        # Last row's id: the fewest others hold it.
        box = page.locator(":nth-match(#report [data-filter], 1) input")
        box.fill("no such words")
        if cells(page, table, 0):
            problem("the filter keeps rows that do not match")
        box.fill("")
        pick = page.locator(":nth-match(#report [data-filter], 1) select").first
        for value in pick.evaluate("(s) => [...s.options].map((o) => o.value).filter(Boolean)"):
            pick.select_option(value)
            shown = set(cells(page, table, 3))
            if shown != {value}:
                problem(f"picking {value} shows {shown}")
        pick.select_option("")
        if len(cells(page, table, 0)) != len(before):
            problem("taking the filters back does not bring all rows back")
    if page.locator("#claims").count():
        visit(page, "claims")
        table = "#claims [data-filter] table"
        page.locator(f"{table} thead button").last.click()
        rows = [int(x) for x in cells(page, table, 7)]
        if rows != sorted(rows):
            problem(f"row counts do not sort as numbers: {rows}")
        print(f"  {len(rows)} claims sorted")
    theme = page.locator("#theme")
    paper = lambda: page.evaluate("getComputedStyle(document.body).backgroundColor")
    seen = set()
    for _ in range(3):
        theme.click()
        seen.add(paper())
    if len(seen) != 2:
        problem(f"the colour button gives {seen}")
    page.close()


def check_columns(browser, address):
    """What a table is about is seen without scrolling it: verdicts and why on a phone, what a claim measures on a small desktop."""
    looked_at = [
        (400, "report", "[data-filter]", [3, 4]),
        (400, "h13", ".stacked", [1, 4]),
        (1280, "claims", "[data-filter]", [6]),
    ]
    for width, name, table, columns in looked_at:
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(address)
        row = f"#{name} {table} tbody tr"
        if page.locator(row).count():
            visit(page, name)
            for column in columns:
                edge = page.eval_on_selector(row, "(row, at) => row.cells[at].getBoundingClientRect().right", column)
                if edge > width:
                    problem(f"{name}, {width} px: column {column + 1} ends at {edge:.0f} px")
        page.close()


def check_without_script(browser, address, shots):
    context = browser.new_context(
        viewport={"width": 1200, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    listen(page, "without script")
    page.goto(address)
    count = page.locator(".page").count()
    shown = sum(page.locator(".page").nth(at).is_visible() for at in range(count))
    if shown != count or count == 0:
        problem(f"without script {shown} of {count} pages show")
    page.screenshot(path=shots / "without-script.png")
    context.close()


def check_print(browser, address, shots):
    page = browser.new_page()
    page.goto(address)
    page.pdf(path=shots / "report.pdf", format="A4", print_background=True)
    page.goto(address + "#all")
    page.pdf(path=shots / "all.pdf", format="A4", print_background=True)
    page.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path, nargs="?", default=Path("results/report/index.html"))
    parser.add_argument("--screenshots", type=Path, help="folder [default: screenshots beside the report]")
    arguments = parser.parse_args()
    report = arguments.report.resolve()
    if not report.is_file():
        sys.exit(f"check: no {arguments.report}; `make reproduce` writes it")
    path = browser_path()
    from playwright.sync_api import sync_playwright

    shots = arguments.screenshots or report.parent / "screenshots"
    shutil.rmtree(shots, ignore_errors=True)
    shots.mkdir(parents=True)
    address = report.as_uri()
    check_file(report)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path)
        print(f"check: {arguments.report} in Chromium {browser.version}")
        check_pages(browser, address, shots)
        check_links(browser, address)
        check_tables(browser, address)
        check_columns(browser, address)
        check_without_script(browser, address, shots)
        check_print(browser, address, shots)
        browser.close()
    print(f"check: {len(problems)} problems, screenshots in {shots.name}/ beside the report")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
