"""The report in a browser: nothing but its own search runs, nothing is loaded, nothing is wider than a phone."""

import pytest

from autograder.reports.index import page_name

pytestmark = pytest.mark.slow


@pytest.fixture
def look(browser):
    """A function that opens a page: the page, what it asked for, and what the console said."""
    contexts = []

    def at(path, width=1280, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}, **options))
        page = contexts[-1].new_page()
        requests, complaints = [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(path.as_uri())
        return page, requests, complaints

    yield at
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), [(380, "dark"), (1280, "light")])
def test_report_is_inert_and_fits_and_stands_out(look, hostile_report, hostile_name, width, scheme):
    for path in hostile_report.rglob("*.html"):
        page, requests, complaints = look(path, width, color_scheme=scheme)
        assert page.title() == "The little notebook: results"
        assert [url for url in requests if not url.startswith(("file:", "data:image/png"))] == []
        assert requests.count(path.as_uri()) == 1
        assert complaints == []  # the policy had nothing to refuse: its own style and script are allowed
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if path.name == page_name(hostile_name):
            assert page.locator("figure img").evaluate("image => image.naturalWidth") == 1200
        if path.name == "report.html":
            assert page.evaluate("getComputedStyle(document.querySelector('.tiles')).display") == "grid"
        # WCAG 2 asks for a contrast of 4.5 for text of this size, and of 3 for marks.
        for name, found in page.evaluate(CONTRASTS).items():
            assert found >= (3 if name.startswith(("I ", "SPAN mark")) else 4.5), (path.name, name)


def test_policy_refuses_other_scripts(look, hostile_report):
    script = "<script>document.title = 'ran'</script><img src='http://127.0.0.1:9/x' onerror=\"document.title='ran'\">"
    for path in (hostile_report / "report.html", next(hostile_report.rglob("ada.html"))):
        path.write_text(path.read_text(encoding="utf-8").replace("</main>", f"{script}</main>"), encoding="utf-8")
        page, _, complaints = look(path)
        assert page.title() == "The little notebook: results"
        assert any("script" in complaint for complaint in complaints)
        assert any("127.0.0.1" in complaint and "img-src" in complaint for complaint in complaints)


def shown(page):
    return page.eval_on_selector_all(
        "#students li", "rows => rows.filter(row => !row.hidden).map(row => row.children[0].textContent)"
    )


def test_students_are_found_by_name_verdict_and_mistake(look, submission, make_run, write_class):
    sigma = ("fail", "sigma is taken for the variance", "variance_as_sigma")
    fault = ("fault", "not judged", None)
    run = make_run(
        submission("ada lövelace"),
        submission("emil", kl=sigma),
        submission("grace", grid=("timeout", "late", None), kl=fault),
        *(submission(f"noor {number}", kl=sigma, grid=sigma) for number in range(9)),
    )
    folder = write_class(run)
    page, _, complaints = look(folder / "report.html")
    assert len(shown(page)) == 12 and page.inner_text("#count") == "12 students"
    page.locator("#students").scroll_into_view_if_needed()
    page.wait_for_selector("#students i.fail")  # rows get their colours as they come into view
    assert page.locator("#students i.timeout").inner_text() == "T"
    page.fill("#search", "LOVE ada")
    assert shown(page) == ["ada lövelace"] and page.inner_text("#count") == "1 of 12 students"
    page.fill("#search", "")
    page.select_option("#exercise", label="grid")  # which asks for those who lost it
    assert shown(page) == ["grace", *(f"noor {number}" for number in range(9))]
    page.select_option("#verdict", label="took too long")
    assert shown(page) == ["grace"]
    page.select_option("#exercise", label="kl")
    assert shown(page) == []
    page.select_option("#verdict", label="not right")
    assert "grace" not in shown(page)  # the grader failed, and not they
    page.select_option("#verdict", label="any")
    page.select_option("#exercise", label="any")
    page.select_option("#mistake", label="grid: variance_as_sigma (9)")
    assert len(shown(page)) == 9
    page.select_option("#mistake", label="any")
    page.select_option("#sort", value="fewest")
    assert shown(page)[0] == "grace" and shown(page)[-1] == "ada lövelace"
    page.click("text=2 more")  # of the ten who have the mistake in kl eight are named
    assert shown(page)[-1] == "emil" and len(shown(page)) == 10
    page.click("#students >> text=emil")
    assert page.inner_text("h1") == "emil"
    page.click("text=All students")
    assert page.inner_text("h1") == "The little notebook"
    assert complaints == []
    page, _, _ = look(folder / "report.html", java_script_enabled=False)
    assert page.locator("#students li").count() == 12 and not page.locator("#find").is_visible()


CONTRASTS = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).slice(0, 3)
      .map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if (channels(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const found = {};
  for (const element of document.querySelectorAll("p, a, span, code, pre, b, td, th, i, h2, h3, label, figcaption")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!hasText || !element.offsetParent) continue;
    const [one, other] = [getComputedStyle(element).color, behind(element)].map(luminance).sort((a, b) => b - a);
    const name = `${element.tagName} ${element.className}`;
    found[name] = Math.min(found[name] ?? 21, (one + 0.05) / (other + 0.05));
  }
  return found;
}"""
