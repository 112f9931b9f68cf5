"use strict";
const FIGURES = {  // as in the text copy; the same tables as in pipeline/model/document.py
  SUP: ["^", "0123456789+-−=()abcdefghijklmnoprstuvwxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"],
  SUB: ["~", "0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"],
};
const COPIES = {
  link: () => document.querySelector("link[rel=canonical]").href,
  headline: () => document.querySelector("h1").innerText,
  text: () => {
    // A browser draws the numbers of lists and the place of high and low figures, but does not copy them.
    const written = [...document.querySelectorAll("ol > li")].map((item) => {
      const number = item.parentNode.start + [...item.parentNode.children].indexOf(item);
      const note = item.parentNode.parentNode.matches(".footnotes");
      const added = document.createTextNode(note ? `[${number}] ` : `${number}. `);
      (item.querySelector(":scope > p:first-child") ?? item).prepend(added);
      return () => added.remove();
    });
    for (const figure of document.querySelectorAll("sup, sub")) {
      if (figure.querySelector("[role=doc-noteref]")) continue;
      const [mark, typed, set] = FIGURES[figure.tagName];
      const characters = [...figure.textContent];
      const all = characters.every((each) => typed.includes(each));
      const added = document.createElement("span");
      added.textContent = all ? characters.map((each) => [...set][[...typed].indexOf(each)]).join("") : mark + figure.textContent + mark;
      figure.replaceWith(added);
      written.push(() => added.replaceWith(figure));
    }
    const hidden = document.querySelectorAll(".tools, .others, .original, [role=doc-backlink]");
    hidden.forEach((part) => (part.hidden = true));
    const found = [...document.querySelectorAll("main, aside")].map((part) => part.innerText).join("\n\n");
    hidden.forEach((part) => (part.hidden = false));
    written.forEach((undo) => undo());
    return found;
  },
};
for (const button of document.querySelectorAll(".copy")) {
  const words = button.textContent;
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
    const found = COPIES[button.dataset.copies]();
    try {
      await navigator.clipboard.writeText(found);
    } catch {
      byHand(found);
    }
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = words), 2000);
  });
}
for (const button of document.querySelectorAll(".send")) {
  button.hidden = !navigator.share;
  button.addEventListener("click", async () => {
    try {
      await navigator.share({ title: COPIES.headline(), url: COPIES.link() });
    } catch (fault) {
      if (fault.name !== "AbortError") throw fault;  // the reader has closed the sheet
    }
  });
}
for (const link of document.querySelectorAll(".share a")) {
  link.href = `mailto:?subject=${encodeURIComponent(COPIES.headline())}&body=${encodeURIComponent(COPIES.link())}`;
}
