import { expect, test } from "../support/fixtures.ts";
import { expectGood } from "../support/good.ts";

test("from where a model stands to the questions that it got wrong, and a link for a colleague", async ({ signedIn: page, stack }) => {
  test.slow();
  const api = stack.api();
  const better = await api.model("Story better", stack.endpoint.url, "local-p90");
  const worse = await api.model("Story worse", stack.endpoint.url, "local-p40");
  const [good, bad] = await Promise.all([better, worse].map((model) => api.launch(model, ["shapes_color", "shapes_mc"])));
  await Promise.all([api.ended(good), api.ended(bad)]);
  const nav = page.getByRole("navigation", { name: "Main" });

  await nav.getByRole("link", { name: "Leaderboard" }).click();
  await expect(page.getByRole("heading", { name: "Leaderboard", exact: true })).toBeVisible();
  const row = page.getByRole("row").filter({ hasText: "Story worse" });
  await expect(row).toBeVisible();
  // A pin is kept in the address.
  await row.getByRole("button", { name: "Pin Story worse" }).click();
  await expect(page).toHaveURL(/pin=/);
  await page.reload();
  await expect(row.getByRole("button", { name: "Pin Story worse" })).toHaveAttribute("aria-pressed", "true");
  await expectGood(page, "leaderboard");

  await row.getByRole("link", { name: "Story worse" }).click();
  await expect(page.getByRole("heading", { name: "Story worse", exact: true })).toBeVisible();
  await expect(page.getByRole("region", { name: "Scores by checkpoint, table" })).toContainText("shapes_mc");
  await expectGood(page, "model");

  // A cell of the grid leads to its samples; only what went wrong is shown first.
  await page.locator(".heat__cell a").first().click();
  await expect(page.getByRole("heading", { name: /^\d+ failures?$/ })).toBeVisible();
  await expect(page.getByText("What others answered")).toBeVisible();
  await page.keyboard.press("j");
  await expect(page).toHaveURL(/sample=/);
  const open = page.locator('.list__i[aria-current="true"]');
  await expect(open).toHaveCount(1);
  const second = await open.textContent();
  await page.keyboard.press("k");
  await expect(open).not.toHaveText(second ?? "");
  await page.keyboard.press("d");
  await expect(page.getByRole("radio", { name: "Side by side" })).toHaveAttribute("aria-checked", "true");
  await expectGood(page, "failures");

  // The address opens the same sample for somebody else.
  const question = await page.getByRole("complementary", { name: "Sample" }).textContent();
  const link = page.url();
  await page.goto(`${stack.url}/runs`);
  await page.goto(link);
  await expect(page.getByRole("complementary", { name: "Sample" })).toHaveText(question ?? "");
  await page.getByLabel("Search in questions and answers").fill("no such words anywhere");
  await expect(page.getByText("No sample fits")).toBeVisible();
});

test("home, models and benchmarks say what there is", async ({ signedIn: page, stack }) => {
  test.slow();
  const api = stack.api();
  const model = await api.model("Story listed", stack.endpoint.url, "local-p80");
  await api.ended(await api.launch(model, ["shapes_mc"]));
  const nav = page.getByRole("navigation", { name: "Main" });

  await nav.getByRole("link", { name: "Home" }).click();
  await expect(page.getByRole("region", { name: "Recent runs, table" })).toContainText("Story listed");
  const best = page.getByRole("region", { name: "Leaderboard highlights, table" });
  await expect(best.getByRole("row", { name: "shapes_mc" })).toContainText(/\d\s±\s\d/);
  await expectGood(page, "home");

  await nav.getByRole("link", { name: "Models" }).click();
  await page.getByLabel("Search models").fill("story listed");
  await expect(page.getByText(/^Showing 1 of/)).toBeVisible();
  await expect(page).toHaveURL(/search=story/);
  await expectGood(page, "models");

  await nav.getByRole("link", { name: "Benchmarks" }).click();
  await page.getByLabel("Only measured").check();
  await expect(page.getByRole("region", { name: "Benchmarks, table" })).toContainText("shapes_mc");
  await expectGood(page, "benchmarks");
  await page.getByRole("link", { name: "shapes_mc", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Leaderboard", exact: true })).toBeVisible();
});
