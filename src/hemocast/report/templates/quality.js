"use strict";
// Sort and filter one table. The rows stand in the page already: without this it only reads on.
const table = document.getElementById("scans");
if (table) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({
    row,
    text: row.textContent.toLowerCase().replace(/\s+/g, " "),
    flags: row.dataset.flags.split(" "),
    keys: Array.from(row.cells, (cell) => cell.dataset.key),
  }));
  const heads = Array.from(table.tHead.rows[0].cells);
  const form = document.getElementById("filter");
  const [text, flag] = ["text", "flag"].map((name) => form.elements.namedItem(name));
  const shown = document.getElementById("shown");
  const words = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  const sort = (column, direction) => {
    const numeric = heads[column].classList.contains("num");
    const compare = (a, b) => {
      const [x, y] = [a.keys[column], b.keys[column]];
      // What is not known stands last either way.
      if (x === "" || y === "") return (x === "") - (y === "");
      return direction * (numeric ? x - y : words.compare(x, y));
    };
    const sorted = document.createDocumentFragment();
    for (const { row } of rows.slice().sort(compare)) sorted.append(row);
    body.append(sorted);
    heads.forEach((head, i) => {
      if (i === column) head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
  };
  const filter = () => {
    const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const item of rows) {
      const fits = wanted.every((word) => item.text.includes(word)) &&
        (flag.value === "" || item.flags.includes(flag.value));
      item.row.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${rows.length} scans shown`;
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      sort(column, head.getAttribute("aria-sort") === "ascending" ? -1 : 1);
    });
  });
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  form.hidden = false;
  filter();
}
