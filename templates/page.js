"use strict";
for (const button of document.querySelectorAll(".copy")) {
  const words = button.textContent;
  const text = () => {
    const hidden = document.querySelectorAll(".tools, .others, .original");
    hidden.forEach((part) => (part.hidden = true));
    const found = [...document.querySelectorAll("main, aside")].map((part) => part.innerText).join("\n\n");
    hidden.forEach((part) => (part.hidden = false));
    return found;
  };
  const byHand = (found) => {
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = found;
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    const found = text();
    try {
      await navigator.clipboard.writeText(found);
    } catch {
      byHand(found);
    }
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = words), 2000);
  });
}
