// Copies what a button names. Without JavaScript the buttons stay hidden, and each text stands on the page to be selected.
"use strict";
const said = document.getElementById("copied");

async function copy(text) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text);
  }
  // Plain HTTP from another machine has no navigator.clipboard: it is for secure contexts alone.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) {
    throw new Error("refused");
  }
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await copy(button.dataset.copy);
      button.textContent = "Copied";
      said.textContent = "Copied";
    } catch {
      button.textContent = "Not copied";
      said.textContent = "The browser did not let it be copied";
    }
    button.focus();
    setTimeout(() => {
      button.textContent = "Copy";
      said.textContent = "";
    }, 2000);
  });
}
