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
  const newest = document.querySelector(".list:not(#WHOLE)");
  const entries = [...newest.querySelectorAll(":scope > li")].map((item) => ({
    item,
    words: folded([...item.querySelectorAll("h2, .summary")].map((part) => part.textContent).join(" ")),
    topics: item.dataset.topics.split(" "),
    language: item.dataset.language,
  }));
  const numbers = new Intl.NumberFormat(document.documentElement.lang);

  const asking = () => Object.fromEntries(fields.map((field) => [field.name, field.value]));
  const split = (text) => folded(text).split(/\s+/).filter(Boolean);
  const whole = document.querySelector("#WHOLE");
  const all = form.querySelector(".all");
  const is_served = location.protocol.startsWith("http");  // no browser lets a page on disk read the file beside it
  let run = 0;

  const show = () => {
    const { q = "", topic = "", language = "" } = asking();
    const wanted = split(q);
    let found = 0;
    run += 1;  // ends a search of the whole archive
    newest.hidden = false;
    whole.hidden = true;
    all.hidden = !is_served || !wanted.length;
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
  // The search of the whole archive reads files with the words of all releases, newest first, and shows what it finds.
  const files = new Map();
  const read = async (part) => {
    const answer = await fetch(`archive/${part}.search.json`);
    if (!answer.ok) throw new Error(answer.status);
    const { releases } = await answer.json();
    return releases.map(([slug, datetime, date, language, direction, title, mark, topics, words]) => ({
      slug, datetime, date, language, direction, title, mark, topics, words: folded(words),
    }));
  };
  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const line = (each) => {
    const link = element("a", { href: `releases/${each.slug}.html` }, each.title);
    const mark = each.mark ? [" · ", element("strong", { class: "mark" }, each.mark)] : [];
    return element("li", {},
      element("p", { class: "meta" }, element("time", { datetime: each.datetime }, each.date), ...mark),
      element("h2", { lang: each.language, dir: each.direction }, link));
  };
  const showAll = async () => {
    const { q = "", topic = "", language = "" } = asking();
    const wanted = split(q).map((word) => word.replace(/^[\p{P}\p{S}]+|[\p{P}\p{S}]+$/gu, "")).filter(Boolean);
    if (!is_served || !wanted.length) return;
    const mine = (run += 1);
    let found = 0;
    let failed = false;
    whole.replaceChildren();
    if (document.activeElement === all) fields[0].focus();  // the button goes
    newest.hidden = all.hidden = true;
    whole.hidden = false;
    if (older) older.hidden = true;
    for (const part of form.dataset.parts.split(" ").filter(Boolean)) {
      status.textContent = form.dataset.searching.replace("{year}", part.slice(0, 4));
      try {
        if (!files.has(part)) files.set(part, await read(part));
      } catch {
        failed = true;
        continue;
      }
      if (mine !== run) return;  // the reader has changed the query meanwhile
      const fitting = files.get(part).filter((each) =>
        (!topic || each.topics.includes(topic)) &&
        (!language || each.language === language) &&
        wanted.every((word) => each.words.includes(word)));
      whole.append(...fitting.map(line));
      found += fitting.length;
    }
    const number = form.dataset.found.replace("{count}", numbers.format(found));
    status.textContent = [found || failed ? number : form.dataset.nothing, failed ? form.dataset.failed : ""].join(" ").trim();
    if (older) older.hidden = found > 0;
  };
  // The query is in the fragment, which also works for a page on disk, so that its address can be sent and bookmarked.
  const remember = (more = {}) => {
    const asked = new URLSearchParams(fields.filter((field) => field.value).map((field) => [field.name, field.value]));
    for (const [name, value] of Object.entries(more)) asked.set(name, value);
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
    if (asked.has("all")) showAll();
  };

  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!all.hidden) remember({ all: "yes" });
    showAll();
  });
  form.addEventListener("input", () => {
    show();
    remember();
  });
  addEventListener("hashchange", recall);
  recall();
}
