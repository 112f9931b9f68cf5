"use strict";
for (const form of document.querySelectorAll(".find")) {
  const status = document.querySelector(".found");
  const older = document.querySelector(".nothing");
  const fields = [...form.elements].filter((field) => field.name);
  const letters = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", ł: "l", ı: "i", þ: "th", ς: "σ", ة: "ه", ى: "ي", ی: "ي", ک: "ك" };
  // The search ignores case, accents, and Arabic vowel and lengthening signs. It splits Korean syllables into letters.
  const folded = (text) =>
    text
      .toLowerCase()
      .normalize("NFKD")
      .replace(/[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u200b-\u200f\u00ad]/g, "")
      .replace(/[ßæœøđðłıþςةىیک]/g, (letter) => letters[letter])
      .replace(/[’‘ʼ]/g, "'");
  const entries = [...document.querySelectorAll(".list > li")].map((item) => ({
    item,
    words: folded([...item.querySelectorAll("h2, .summary")].map((part) => part.textContent).join(" ")),
    topics: item.dataset.topics.split(" "),
    language: item.dataset.language,
  }));
  const numbers = new Intl.NumberFormat(document.documentElement.lang);

  const show = () => {
    const { q = "", topic = "", language = "" } = Object.fromEntries(fields.map((field) => [field.name, field.value]));
    const wanted = folded(q).split(/\s+/).filter(Boolean);
    let found = 0;
    for (const each of entries) {
      const fits =
        (!topic || each.topics.includes(topic)) &&
        (!language || each.language === language) &&
        wanted.every((word) => each.words.includes(word));
      each.item.hidden = !fits;
      found += fits;
    }
    const asked = wanted.length || topic || language;
    const number = form.dataset.found.replace("{count}", numbers.format(found));
    status.textContent = !asked ? "" : found ? number : form.dataset.nothing;
    if (older) older.hidden = found > 0;  // if older releases exist, there is another link to the archive, which is always visible
  };
  // The query is in the fragment, which also works for a page on disk, so that its address can be sent and bookmarked.
  const remember = () => {
    const asked = new URLSearchParams(fields.filter((field) => field.value).map((field) => [field.name, field.value]));
    const address = location.href.split("#")[0];
    history.replaceState(null, "", asked.toString() ? `${address}#${asked}` : address);
  };
  const recall = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    const known = fields.some((field) => asked.has(field.name));
    if (!known && location.hash) return;  // the fragment is the skip link, not a query
    for (const field of fields) {
      field.value = asked.get(field.name) ?? "";
      if (field.selectedIndex === -1) field.value = "";
    }
    show();
  };

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    show();
    remember();
  });
  addEventListener("hashchange", recall);
  recall();
}
