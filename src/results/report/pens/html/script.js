"use strict";
// Shows the page that the address names, sorts and filters tables, switches colours. Everything is readable without it.
(() => {
  const root = document.documentElement;
  const pages = [...document.querySelectorAll(".page")];
  root.classList.add("js");

  function show() {
    const wanted = decodeURIComponent(location.hash.slice(1));
    const all = wanted === "all";
    const target = wanted && !all ? document.getElementById(wanted) : null;
    const page = (target && target.closest(".page")) || pages[0];
    for (const one of pages) one.classList.toggle("shown", all || one === page);
    for (const link of document.querySelectorAll("nav a")) {
      const here = all ? link.hash === "#all" : link.hash === "#" + page.id;
      here ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
      if (here) {
        const fold = link.closest(".fold");
        if (fold) fold.open = true;
        reveal(link);
      }
    }
    for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    for (const old of document.querySelectorAll(".found")) old.classList.remove("found");
    if (target && target !== page) {
      target.classList.add("found");
      target.scrollIntoView({ block: "center" });
    } else {
      window.scrollTo(0, 0);
    }
  }

  function reveal(link) {
    const side = document.querySelector(".side");
    const [a, b] = [link.getBoundingClientRect(), side.getBoundingClientRect()];
    if (a.top < b.top || a.bottom > b.bottom) side.scrollTop += a.top - b.top - b.height / 2;
  }

  // A number as a reader sees it; NaN for words.
  function numeric(text) {
    const found = text.trim().replace("−", "-").match(/^[<>≈]?\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|-?∞)(?![\w.-]*[a-z]{3})/i);
    if (!found) return NaN;
    return found[1].endsWith("∞") ? (found[1][0] === "-" ? -Infinity : Infinity) : Number(found[1]);
  }
  const words = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const key = (row, at) => row.cells[at].dataset.k || row.cells[at].textContent.trim();
  const missing = (text) => text === "" || text === "–";

  function compare(a, b, at, sign) {
    const [x, y] = [key(a, at), key(b, at)];
    if (missing(x) || missing(y)) return missing(x) - missing(y);
    const [n, m] = [numeric(x), numeric(y)];
    const order = Number.isNaN(n) || Number.isNaN(m) ? words.compare(x, y) : n < m ? -1 : n > m ? 1 : 0;
    return sign * order;
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        const body = table.tBodies[0];
        body.append(...[...body.rows].sort((a, b) => compare(a, b, at, sign)));
      });
    });
  }

  function filtered(box) {
    const table = box.querySelector("table");
    const rows = [...table.tBodies[0].rows];
    const name = table.caption.textContent;
    const bar = document.createElement("div");
    bar.className = "bar";
    const search = document.createElement("input");
    search.type = "search";
    search.placeholder = "Filter";
    search.setAttribute("aria-label", "Filter: " + name);
    const count = document.createElement("span");
    count.setAttribute("role", "status");
    const picks = [];
    [...table.tHead.rows[0].cells].forEach((head, at) => {
      if (head.dataset.pick === undefined) return;
      const values = [...new Set(rows.map((row) => key(row, at)))].filter((value) => !missing(value)).sort(words.compare);
      const label = head.textContent.trim();
      const select = document.createElement("select");
      select.setAttribute("aria-label", label + ": " + name);
      select.append(new Option(label + ": all", ""), ...values.map((value) => new Option(label + ": " + value, value)));
      picks.push([select, at]);
    });
    const apply = () => {
      const wanted = search.value.trim().toLowerCase().split(/\s+/);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden =
          !wanted.every((word) => text.includes(word)) ||
          picks.some(([select, at]) => select.value !== "" && key(row, at) !== select.value);
        if (!row.hidden) shown += 1;
      }
      count.textContent = shown + " of " + rows.length;
    };
    bar.append(search, ...picks.map(([select]) => select), count);
    box.prepend(bar);
    bar.addEventListener("input", apply);
    apply();
  }

  // auto → light → dark; kept for the next visit where the browser allows it.
  function theme() {
    const modes = ["auto", "light", "dark"];
    const button = document.createElement("button");
    button.type = "button";
    const set = (mode) => {
      mode === "auto" ? delete root.dataset.theme : (root.dataset.theme = mode);
      button.textContent = { auto: "◐ auto", light: "☀ light", dark: "☾ dark" }[mode];
      button.setAttribute("aria-label", "Colours: " + mode);
      button.dataset.mode = mode;
      try {
        localStorage.setItem("streamgauge-theme", mode);
      } catch {}
    };
    let mode = "auto";
    try {
      mode = localStorage.getItem("streamgauge-theme") || mode;
    } catch {}
    set(modes.includes(mode) ? mode : "auto");
    button.addEventListener("click", () => set(modes[(modes.indexOf(button.dataset.mode) + 1) % modes.length]));
    document.getElementById("theme").replaceWith(button);
    button.id = "theme";
  }

  // The definition that a number or a protocol leads to, as its tooltip.
  function define(event) {
    const link = event.target.closest && event.target.closest("a[href^='#p-']");
    if (!link || link.dataset.defined) return;
    const row = document.getElementById(link.hash.slice(1));
    if (row) link.title = (link.title || row.textContent) + ": " + row.nextElementSibling.textContent;
    link.dataset.defined = "yes";
  }

  for (const table of document.querySelectorAll("table")) sortable(table);
  for (const box of document.querySelectorAll("[data-filter]")) filtered(box);
  theme();
  const menu = document.querySelector(".menu");
  const narrow = matchMedia("(max-width: 60rem)");
  const fold = () => (menu.open = !narrow.matches);
  narrow.addEventListener("change", fold);
  fold();
  menu.addEventListener("click", (event) => {
    if (narrow.matches && event.target.closest("a")) menu.open = false;
  });
  addEventListener("mouseover", define);
  addEventListener("focusin", define);
  addEventListener("hashchange", show);
  addEventListener("beforeprint", () => document.querySelectorAll("main .shown details").forEach((one) => (one.open = true)));
  show();
})();
