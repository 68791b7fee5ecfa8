// Hides the rows of the table of rules that do not match; the search box appears only where this runs.
(function () {
  const search = document.querySelector(".rule-search");
  if (!search) return;
  const query = document.getElementById("rule-query");
  const choices = [...search.querySelectorAll("select")];
  const rows = [...document.querySelectorAll("#rule-table tbody tr")];
  const count = document.getElementById("rule-count");

  function matches(row) {
    const text = row.textContent.toLowerCase();
    const words = query.value.toLowerCase().split(/\s+/);
    return (
      words.every((word) => text.includes(word)) &&
      choices.every((choice) => !choice.value || row.dataset[choice.dataset.field] === choice.value)
    );
  }

  function update() {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !matches(row);
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = shown + " of " + rows.length;
  }

  search.hidden = false;
  query.addEventListener("input", update);
  for (const choice of choices) choice.addEventListener("change", update);
  update();
})();
