"use strict";
// Searches, sorts and filters the rows that the page holds already.
const list = document.getElementById("students");
if (list) {
  const control = (name) => document.getElementById(name);
  const [search, exercise, verdict, mistake, sort] = ["search", "exercise", "verdict", "mistake", "sort"].map(control);
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase(); // "Özdemir" as "ozdemir"
  let rows = null;

  function read() {
    rows ??= [...list.children].map((element, place) => ({
      element,
      place,
      name: plain(element.children[0].textContent),
      points: parseFloat(element.children[1].textContent) || 0, // of those who are excused
      verdicts: element.children[2].textContent,
      mistakes: (element.dataset.mistakes || "").split(" "),
    }));
    return rows;
  }

  function hasVerdict(verdicts) {
    const seen = exercise.value === "" ? [...verdicts] : [verdicts[Number(exercise.value)]];
    return verdict.value === "lost"
      ? seen.some((symbol) => !["✓", "?", "G", " "].includes(symbol))
      : seen.includes(verdict.value);
  }

  function show() {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of read()) {
      const isShown =
        words.every((word) => row.name.includes(word)) &&
        (verdict.value === "" || hasVerdict(row.verdicts)) &&
        (mistake.value === "" || row.mistakes.includes(mistake.value));
      row.element.hidden = !isShown;
      count += isShown;
    }
    control("count").textContent = `${count} of ${rows.length} students`;
  }

  function arrange() {
    const sign = { most: -1, fewest: 1 }[sort.value] || 0;
    read().sort((one, other) => sign * (one.points - other.points) || one.place - other.place);
    const section = list.parentNode;
    list.remove(); // rows of a list that is not shown are moved a hundred times as fast
    list.append(...rows.map((row) => row.element));
    section.append(list);
  }

  // Coloured are the rows that come into view: an element for each run of verdicts in all would take seconds to load.
  const classes = new Map([...document.querySelectorAll(".legend .mark")].map((mark) => [mark.textContent, mark.classList[1]]));
  list.addEventListener("contentvisibilityautostatechange", ({ target, skipped }) => {
    const verdicts = target.children[2];
    if (skipped || !verdicts || verdicts.childElementCount) return;
    verdicts.replaceChildren(
      ...[...verdicts.textContent.matchAll(/(.)\1*/gu)].map(([run, symbol]) => {
        const element = document.createElement("i");
        element.className = classes.get(symbol) || "";
        element.textContent = run;
        return element;
      }),
    );
  });

  function follow() {
    const found = /^#mistake-(\d+)$/.exec(location.hash);
    if (!found) return;
    mistake.value = found[1];
    show();
    control("find").scrollIntoView();
  }

  search.addEventListener("input", show);
  for (const select of [verdict, mistake]) select.addEventListener("change", show);
  exercise.addEventListener("change", () => {
    if (exercise.value !== "" && verdict.value === "") verdict.value = "lost";
    show();
  });
  sort.addEventListener("change", arrange);
  addEventListener("hashchange", follow);
  control("find").hidden = false;
  control("count").textContent = `${list.childElementCount} students`;
  follow();
}
