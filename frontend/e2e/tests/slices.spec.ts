import type { Api, Json } from "../support/api.ts";
import { expect, test } from "../support/fixtures.ts";
import { expectGood } from "../support/good.ts";
import { until } from "../support/wait.ts";

/** Every sample of a run's benchmark, page by page. */
async function samplesOf(api: Api, run: string, benchmark: string): Promise<Json[]> {
  const all: Json[] = [];
  for (let cursor = ""; ; ) {
    const page = await api.get(`/runs/${run}/samples?benchmark_id=${benchmark}&limit=200${cursor && `&cursor=${cursor}`}`);
    all.push(...page.samples);
    if (!page.next_cursor) return all;
    cursor = page.next_cursor;
  }
}

/** What waits until it is let through. */
class Gate {
  open: () => void = () => {};
  readonly opened = new Promise<void>((open) => (this.open = open));
}

/** Mean and standard error by hand. */
function byHand(scores: number[]): { mean: number; stderr: number } {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const spread = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  return { mean, stderr: Math.sqrt(spread / (scores.length - 1) / scores.length) };
}

test("a slice is made by a rule, looked through on every page, and removed", async ({ signedIn: page, stack }) => {
  test.slow();
  const api = stack.api();
  const models = [await api.model("Sliced better", stack.endpoint.url, "local-p90"), await api.model("Sliced worse", stack.endpoint.url, "local-p40")];
  const runs = await Promise.all(models.map((model) => api.launch(model, ["arith_text"])));
  for (const run of runs) await api.ended(run);
  const benchmark = (await api.benchmark("arith_text")).id;
  const nav = page.getByRole("navigation", { name: "Main" });

  await nav.getByRole("link", { name: "Slices" }).click();
  await expect(page.getByText("No slice yet")).toBeVisible();
  await expectGood(page, "slices-empty");

  // A rule is checked while it is typed, and tried on the samples that are there.
  await page.getByRole("button", { name: "New slice…" }).first().click();
  const dialog = page.getByRole("dialog", { name: "New slice" });
  await dialog.getByLabel("Name").fill("first half");
  await dialog.getByLabel("Rule").fill("@doc_id < )");
  await expect(dialog.getByText("at column 11: expected a number, found `)`")).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Make slice" })).toBeDisabled();
  await dialog.getByLabel("Rule").fill("@doc_id < 24");
  await expect(dialog.getByText("kept as: @doc_id < 24")).toBeVisible();
  await expect(dialog.getByText(/arith_text: 24 of 30/)).toBeVisible();
  await expectGood(page, "slices-dialog");
  await dialog.getByRole("button", { name: "Make slice" }).click();
  await expect(dialog).toHaveCount(0);
  const few = await api.post("/slices", { name: "few", slice_type: "custom", rule: "@doc_id < 3" });
  const rest = await api.post("/slices", { name: "the rest", slice_type: "custom", rule: "@doc_id >= 10" });
  const first = (await api.get("/slices")).slices.find((slice: Json) => slice.name === "first half");
  for (const slice of [few, rest, first]) await until("samples are in slices", async () => (await api.get(`/slices/${slice.id}`)).state === "done");

  // What the page shows is what the samples say.
  const samples = await samplesOf(api, runs[1], benchmark);
  const inside = samples.filter((sample) => sample.doc_id < 24);
  expect(inside.every((sample) => sample.slices.includes(first.id))).toBe(true);
  expect(samples.filter((sample) => sample.slices.includes(first.id))).toHaveLength(inside.length);
  const expected = byHand(inside.map((sample) => sample.score));
  await page.goto(`${stack.url}/slices?run=${runs[1]}&task=${benchmark}&filter=${samples[0].filter}`);
  const row = page.getByRole("region", { name: "Slices, table" }).getByRole("row").filter({ hasText: "first half" });
  await expect(row.locator("[data-value]")).toHaveCount(1);
  expect(Number(await row.locator("[data-value]").getAttribute("data-value"))).toBeCloseTo(expected.mean, 9);
  const metrics = (await api.get(`/slices/${first.id}/metrics?benchmark_id=${benchmark}`)).metrics;
  expect(metrics.map((metric: Json) => metric.run_id)).toEqual(expect.arrayContaining(runs));
  const own = metrics.find((metric: Json) => metric.run_id === runs[1]);
  expect(own.metric_value).toBeCloseTo(expected.mean, 9);
  expect(own.stderr).toBeCloseTo(expected.stderr, 9);
  await expect(page.getByRole("row").filter({ hasText: "few" })).toContainText("too few samples to judge");
  await expect(page.getByText("Largest gap between slices")).toBeVisible();
  await page.getByLabel("Select first half").check();
  await expect(page.getByRole("region", { name: "Selected slices by model, table" })).toContainText("Sliced better");
  await expectGood(page, "slices");

  // Every page looks through it, and says so.
  await page.getByRole("button", { name: /^Slice: all samples/ }).click();
  await page.getByRole("menuitem", { name: "first half" }).click();
  await expect(page).toHaveURL(new RegExp(`slice=${first.id}`));
  await nav.getByRole("link", { name: "Leaderboard" }).click();
  await expect(page.getByText("Only scores of the slice first half")).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: "Sliced worse" })).toContainText(expected.mean.toFixed(2));
  await expectGood(page, "leaderboard-slice");
  await page.goto(`${stack.url}/failures?run=${runs[1]}&slice=${first.id}`);
  const wrong = inside.filter((sample) => sample.error > 0).length;
  await expect(page.getByRole("heading", { name: new RegExp(`^${wrong} failures?$`) })).toBeVisible();
  await expect(page.getByText("Only samples of the slice first half")).toBeVisible();
  await page.goto(`${stack.url}/models/${models[1].id}?slice=${first.id}`);
  await expect(page.getByRole("region", { name: "Scores by checkpoint, table" })).toContainText("arith_text");
  await page.goto(`${stack.url}/runs/${runs[1]}?slice=${first.id}`);
  await expect(page.getByRole("region", { name: "Benchmarks of this run, table" })).toContainText(expected.mean.toFixed(2));

  // It goes after a question that names it, and the address does not keep it.
  // A menu that is open when the numbers come stays open.
  const numbers = new Gate();
  await page.route("**/api/v1/runs/*/slices*", async (route) => {
    await numbers.opened;
    await route.continue();
  });
  await page.goto(`${stack.url}/slices?slice=${first.id}`);
  await page.getByRole("button", { name: "Actions for first half" }).click();
  const remove = page.getByRole("menuitem", { name: "Delete…" });
  await expect(remove).toBeVisible();
  await expect(row.locator("[data-value]")).toHaveCount(0);
  numbers.open();
  await expect(row.locator("[data-value]")).toHaveCount(1);
  await remove.click({ timeout: 10_000 });
  const question = page.getByRole("dialog", { name: "Delete the slice first half?" });
  await expect(question).toContainText("The samples themselves and all other scores stay");
  await question.getByRole("button", { name: "Delete slice" }).click();
  await expect(question).toHaveCount(0);
  await expect(page.getByRole("row").filter({ hasText: "first half" })).toHaveCount(0);
  await expect(page).not.toHaveURL(/slice=/);
  await until("its samples forget it", async () =>
    (await samplesOf(api, runs[1], benchmark)).every((sample) => !sample.slices.includes(first.id)));
});
