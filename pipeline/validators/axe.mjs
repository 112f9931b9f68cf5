// Runs axe-core on pages in a browser, in light and dark mode, wide and narrow. Prints a JSON line for each page and setting.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const [modules, executable, ...pages] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const { chromium } = require(`${modules}/playwright-core`);
const axe = readFileSync(`${modules}/axe-core/axe.min.js`, "utf8");
// All other rules find in dark mode what they found in light mode.
const OF_COLOURS = { runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] } };
const browser = await chromium.launch({ executablePath: executable, args: ["--no-sandbox"] });
const page = await (await browser.newContext({ bypassCSP: true })).newPage();
for (const file of pages) {
  await page.goto(pathToFileURL(file).href);
  await page.evaluate(axe);
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 320]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const options = { resultTypes: ["violations"], ...(colorScheme === "dark" && OF_COLOURS) };
      const { violations } = await page.evaluate((chosen) => window.axe.run(chosen), options);
      const faults = violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.length}: ${nodes[0].target.join(" ")})`);
      const scrolls = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
      if (scrolls) faults.push("the page is wider than the window");
      console.log(JSON.stringify({ file, setting: `${colorScheme}, ${width} px`, faults }));
    }
  }
}
await browser.close();
