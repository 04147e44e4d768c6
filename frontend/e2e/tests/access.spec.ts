import { expect, test } from "../support/fixtures.ts";
import { expectGood } from "../support/good.ts";
import { openLauncher, pickBenchmark, pickModel } from "../support/launcher.ts";

test("sign-in is accessible", async ({ page, stack, expected }) => {
  expected.push(/status of 40[01]/);
  await page.goto(stack.url);
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await expectGood(page, "login");
});

test("launcher, runs and a run are accessible", async ({ signedIn: page, stack }) => {
  test.slow();
  const api = stack.api();
  const model = await api.model("Accessible 80", stack.endpoint.url, "local-p80");
  const run = await api.launch(model, ["shapes_suite", "shapes_boom", "shapes_mc"]);

  await openLauncher(page);
  await pickModel(page, "Accessible 80");
  await pickBenchmark(page, "shapes_suite");
  await expect(page.getByLabel("Command line of each benchmark")).toContainText("--tasks shapes_suite");
  await expectGood(page, "launcher");

  await api.ended(run);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Runs" }).click();
  await expect(page.getByRole("heading", { name: "Runs", exact: true })).toBeVisible();
  await expect(page.getByText("Accessible 80").first()).toBeVisible();
  await expectGood(page, "runs");

  await page.goto(`${stack.url}/runs/${run}`);
  await expect(page.getByText("2 of 3 benchmarks completed").first()).toBeVisible();
  await expectGood(page, "run");
});

test("everything is reached by keyboard", async ({ signedIn: page, stack }) => {
  await page.goto(`${stack.url}/runs`);
  await expect(page.getByRole("heading", { name: "Runs", exact: true })).toBeVisible();
  // The palette leads to a page.
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Command" })).toBeFocused();
  await page.keyboard.type("Launch");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Launch a run" })).toBeVisible();
  // The keys of the page are explained and the explanation closes.
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keys of this page" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  // `/` leads to the search, and arrows and Space pick a benchmark.
  await expect(page.getByLabel("Search benchmarks")).toBeVisible();
  await page.keyboard.press("/");
  await expect(page.getByLabel("Search benchmarks")).toBeFocused();
  await page.keyboard.type("arith_text");
  const tree = page.getByRole("tree", { name: "Benchmarks" });
  await expect(tree.getByText("arith_text")).toBeVisible();
  await tree.focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Space");
  await expect(page.getByRole("button", { name: "Launch 1 benchmark" })).toBeVisible();
});

test("focus is always visible and never trapped", async ({ signedIn: page, stack }) => {
  await page.goto(`${stack.url}/runs`);
  await expect(page.getByRole("heading", { name: "Runs", exact: true })).toBeVisible();
  const seen = new Set<string>();
  for (let i = 0; i < 80; i += 1) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      if (element === document.body) return { name: "body", visible: true };
      const style = getComputedStyle(element);
      const ring = style.outlineStyle !== "none" || style.boxShadow !== "none";
      const ringOf = element.closest("label") ?? element;
      return { name: element.outerHTML.slice(0, 120), visible: ring || getComputedStyle(ringOf).outlineStyle !== "none" };
    });
    expect(focus.visible, `focus on ${focus.name}`).toBe(true);
    if (seen.has(focus.name) && focus.name === "body") break;
    seen.add(focus.name);
  }
  expect(seen.has("body"), "Tab comes round").toBe(true);
});
