"""The report in a browser: nothing runs, nothing is loaded, nothing is wider than a phone."""

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("width", [390, 1280])
def test_report_is_inert_and_fits(browser, hostile_report, tmp_path, width):
    path = tmp_path / "report.html"
    path.write_text(hostile_report, encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 800})
    try:
        page = context.new_page()
        requests, complaints = [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(path.as_uri())
        for summary in page.locator("details > summary").all():
            summary.click()
        assert page.locator("details[open]").count() == 3
        assert page.locator("figure img").evaluate("image => image.naturalWidth") == 1200
        assert page.title() == "The little notebook: results"
        assert [url for url in requests if not url.startswith(("file:", "data:image/png"))] == []
        assert requests.count(path.as_uri()) == 1
        assert complaints == []  # the page's policy had nothing to refuse: its own style is allowed
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("getComputedStyle(document.querySelector('.tiles')).display") == "grid"
    finally:
        context.close()


def test_policy_refuses_scripts(browser, hostile_report, tmp_path):
    path = tmp_path / "report.html"
    script = "<script>document.title = 'ran'</script><img src='http://127.0.0.1:9/x'>"
    path.write_text(hostile_report.replace("</main>", f"{script}</main>"), encoding="utf-8")
    context = browser.new_context()
    try:
        page = context.new_page()
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(path.as_uri())
        assert page.title() == "The little notebook: results"
        assert any("script" in complaint for complaint in complaints)
        assert any("127.0.0.1" in complaint and "img-src" in complaint for complaint in complaints)
    finally:
        context.close()


def test_a_link_from_a_mistake_opens_the_student(browser, hostile_report, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(hostile_report, encoding="utf-8")
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(path.as_uri())
        page.locator(".mistakes a").first.click()
        assert page.locator("#student-1").is_visible()
        assert page.locator("details[open]").count() == 1
    finally:
        context.close()
