"use strict";
(function () {
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const numeric = head.classList.contains("number");
    const value = (row) => row.cells[column].dataset.value;
    const rows = Array.from(body.rows);
    rows.sort((a, b) => numeric ? value(a) - value(b) : value(a).localeCompare(value(b)));
    if (down) rows.reverse();
    body.append(...rows);
  }));
  const find = document.getElementById("find");
  const found = document.getElementById("found");
  find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    let shown = 0;
    for (const row of body.rows) {
      const hit = row.textContent.toLowerCase().includes(wanted);
      row.hidden = !hit;
      shown += hit ? 1 : 0;
    }
    found.textContent = wanted ? shown + " of " + body.rows.length : "";
  });
})();
