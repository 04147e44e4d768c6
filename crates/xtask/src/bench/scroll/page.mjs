// Scrolls the table of runs beside an empty scroller of the same size, and pages through the samples of a run. Prints
// one line of JSON: {"frames": [[empty, ours], ...], "heap": [[pages, bytes], ...]}.
import { chromium } from "playwright-core";

const [signIn, url, run, rounds, pages] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--enable-precise-memory-info", "--js-flags=--expose-gc"],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
// The memory of WebAssembly is not part of the heap that the browser tells.
await context.addInitScript(() => {
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const original = WebAssembly[name].bind(WebAssembly);
    WebAssembly[name] = async (...given) => {
      const made = await original(...given);
      globalThis.wasmMemory = (made.instance ?? made).exports?.memory ?? globalThis.wasmMemory;
      return made;
    };
  }
});
const page = await context.newPage();
page.setDefaultTimeout(120_000);
await page.goto(signIn);
const dialog = page.getByRole("dialog", { name: "Address and password" });
await dialog.getByLabel("E-mail").fill("owner@example.org");
await dialog.getByLabel("New password").fill("a long password");
await dialog.getByRole("button", { name: "Save" }).click();
await dialog.waitFor({ state: "hidden" });
await page.getByRole("navigation", { name: "Main" }).waitFor({ state: "attached" });

/** The 95th percentile of the time between frames while a scroller moves for some seconds. */
const frames = (target, selector) =>
  target.evaluate(
    ([where, total]) =>
      new Promise((done) => {
        const scroller = document.querySelector(where);
        scroller.scrollTop = 0;
        const times = [];
        let last = 0;
        const step = (now) => {
          if (last > 0) times.push(now - last);
          last = now;
          // Slowly as one reads, then fast as one searches, then far.
          const phase = times.length % 180;
          scroller.scrollTop += phase < 100 ? 24 : phase < 170 ? 240 : 40_000;
          if (times.length < total) return requestAnimationFrame(step);
          times.sort((a, b) => a - b);
          done(times[Math.floor(times.length * 0.95)]);
        };
        requestAnimationFrame(step);
      }),
    [selector, 540],
  );

const tables = await context.newPage();
await tables.goto(`${url}/runs`);
await tables.locator(".scroll--tall tbody tr a").first().waitFor();
const size = await tables.evaluate(() => {
  const scroller = document.querySelector(".scroll--tall");
  return { all: scroller.scrollHeight, seen: scroller.clientHeight, wide: scroller.clientWidth };
});
const empty = await context.newPage();
await empty.setContent(
  `<div id="empty" style="overflow:auto;height:${size.seen}px;width:${size.wide}px"><div style="height:${size.all}px"></div></div>`,
);
const pairs = [];
for (let round = 0; round < Number(rounds); round += 1) {
  await empty.bringToFront();
  const bare = await frames(empty, "#empty");
  await tables.bringToFront();
  pairs.push([bare, await frames(tables, ".scroll--tall")]);
}
await tables.close();
await empty.close();

/** Bytes after a collection: of scripts, of the document, of WebAssembly. */
const session = await context.newCDPSession(page);
const bytes = async () => {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize + (await page.evaluate(() => globalThis.wasmMemory?.buffer.byteLength ?? 0));
};
await page.bringToFront();
await page.goto(`${url}/failures?run=${run}&mark=all`);
await page.locator(".failures__items a").first().waitFor();
const heap = [];
/** Presses "Next page" so many times, each time when the page before is there; tells how many there were. */
const turn = (times) =>
  page.evaluate(async (count) => {
    const first = () => document.querySelector(".failures__items a")?.id;
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    for (let n = 0; n < count; n += 1) {
      const button = [...document.querySelectorAll(".pager button")].find((each) => each.textContent.includes("Next"));
      if (!button) return n;
      const before = first();
      button.click();
      // Chromium takes 200 steps of its history in ten seconds and swallows the others.
      await new Promise((done) => setTimeout(done, 55));
      while (!first() || first() === before) await frame();
    }
    return count;
  }, times);
let turned = 0;
for (const end of [20, 200, ...Array.from({ length: 9 }, (_, n) => Math.round((Number(pages) * (n + 1)) / 9))]) {
  if (end <= turned) continue;
  const wanted = end - turned;
  const done = await turn(wanted);
  turned += done;
  heap.push([turned, await bytes()]);
  if (done < wanted) break;
}
console.log(JSON.stringify({ frames: pairs, heap }));
await browser.close();
