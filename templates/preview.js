"use strict";
(() => {
  const bar = document.getElementById("preview");
  const KEY = "pdf-beside";
  let [page, pdf] = [bar.dataset.page, bar.dataset.pdf];
  let source, frame, loading = false;

  // The PDF beside the page, where there is room; otherwise the link opens it.
  const wide = matchMedia("(min-width: 64rem)");
  const place = () => {
    const link = bar.querySelector(".beside");
    const shown = Boolean(link) && wide.matches && sessionStorage.getItem(KEY) === "yes";
    link?.setAttribute("aria-pressed", shown);
    if (shown && !frame) {
      frame = document.createElement("iframe");
      frame.id = "preview-pdf";
      frame.title = link.textContent;
      document.documentElement.append(frame);
    }
    const address = shown ? `${link.href}?${pdf}#navpanes=0&view=FitH` : "";
    if (frame && !shown) frame = void frame.remove();
    else if (frame && frame.dataset.address !== address) frame.src = frame.dataset.address = address;
    document.documentElement.classList.toggle("with-pdf", shown);
  };
  bar.addEventListener("click", (event) => {
    if (!event.target.closest(".beside") || !wide.matches) return;
    event.preventDefault();
    sessionStorage.setItem(KEY, sessionStorage.getItem(KEY) === "yes" ? "no" : "yes");
    place();
  });

  // New words come into the page in place, so that it does not jump. Scripts must be made anew to run.
  const load = async () => {
    if (loading) return;
    loading = true;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      page = fresh.getElementById("preview").dataset.page;
      for (const sheet of fresh.querySelectorAll('link[rel="stylesheet"]')) {
        const own = document.querySelector('link[rel="stylesheet"]');
        if (own && own.getAttribute("href") !== sheet.getAttribute("href")) own.href = sheet.getAttribute("href");
      }
      document.title = fresh.title;
      const root = document.documentElement;
      for (const name of ["lang", "dir"]) root.setAttribute(name, fresh.documentElement.getAttribute(name) ?? "");
      root.className = fresh.documentElement.className;
      const isOwn = (part) => part.id?.startsWith("preview");
      for (const part of [...document.body.childNodes]) if (!isOwn(part)) part.remove();
      document.body.append(...[...fresh.body.childNodes].filter((part) => !isOwn(part)));
      for (const old of document.body.querySelectorAll("script:not(#preview-script)")) {
        const script = document.createElement("script");
        script.textContent = old.textContent;
        old.replaceWith(script);
      }
      place();
    } finally {
      loading = false;
    }
  };
  const listen = () => {
    source = new EventSource(bar.dataset.events);
    source.onmessage = (event) => {
      const news = JSON.parse(event.data);
      const open = bar.querySelector("details")?.open;
      bar.innerHTML = news.bar;
      if (open && bar.querySelector("details")) bar.querySelector("details").open = true;
      pdf = news.pdf;
      place();
      if (news.page && news.page !== page) load();
    };
    source.onerror = () => (bar.querySelector(".ended").hidden = false);
    source.onopen = () => (bar.querySelector(".ended").hidden = true);
  };
  // A browser keeps few connections to one address: pages that nobody sees give theirs back.
  document.addEventListener("visibilitychange", () => {
    source?.close();
    if (!document.hidden) listen();
  });
  if (!document.hidden) listen();
  place();
})();
