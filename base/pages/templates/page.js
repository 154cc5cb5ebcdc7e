/* Below each table two buttons: its cells to the clipboard, for a spreadsheet, and as a file of CSV. */
(() => {
  const plain = text => {
    const words = text.replace(/\s+/g, " ").trim();
    return /^\u2212?[\d.]/.test(words) ? words.replace(/\u2212/g, "-").replace(/(\d)[\u202f\u00a0](?=\d{3})/g, "$1") : words;
  };
  const cells = table => [...table.rows].map(row => [...row.cells].map(cell => plain(cell.textContent)));
  const quoted = text => (/[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text);
  const button = (words, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.addEventListener("click", () => act(made, words));
    return made;
  };
  const told = (made, words, then) => {
    made.textContent = then;
    setTimeout(() => { made.textContent = words; }, 1500);
  };
  const copied = text => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  const heading = table => {
    const within = table.closest("section");
    const words = within && within.querySelector("h2") ? within.querySelector("h2").textContent : document.title;
    return words.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "table";
  };
  for (const table of document.querySelectorAll(".scroll > table:not(.full)")) {
    const tools = document.createElement("div");
    tools.className = "tools";
    tools.append(
      button("copy", (made, words) => {
        const text = cells(table).map(row => row.join("\t")).join("\n");
        told(made, words, copied(text) ? "copied" : "not copied");
      }),
      button("CSV", () => {
        const text = cells(table).map(row => row.map(quoted).join(",")).join("\r\n") + "\r\n";
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob(["\ufeff" + text], { type: "text/csv" }));
        link.download = heading(table) + ".csv";
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      }),
    );
    table.parentElement.after(tools);
  }
})();
