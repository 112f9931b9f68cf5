"use strict";
// A closed transcript is neither copied nor printed.
const closed = () => [...document.querySelectorAll("details:not([open])")].map((each) => ((each.open = true), each));
const close = (opened) => opened.forEach((each) => (each.open = false));
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-copies=text]")) setTimeout(close, 0, closed());  // before the button copies
}, true);
let printed = [];
addEventListener("beforeprint", () => (printed = closed()));
addEventListener("afterprint", () => close(printed));
