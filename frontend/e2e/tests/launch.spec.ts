import { expect, test } from "../support/fixtures.ts";
import { KEY } from "../support/api.ts";
import { addSecret, openLauncher, pickBenchmark, pickModel } from "../support/launcher.ts";
import { driverEvents, metricsOnDisk, samplesOnDisk } from "../support/results.ts";

const THREE = ["shapes_suite", "shapes_boom", "shapes_mc"];

test("from the launcher to the result of a real evaluation", async ({ signedIn: page, stack }) => {
  const api = stack.api();
  await api.model("Shapes 80", stack.endpoint.url, "local-p80");
  await openLauncher(page);
  await pickModel(page, "Shapes 80");
  for (const name of THREE) await pickBenchmark(page, name);
  await addSecret(page, KEY);

  // The preview names every benchmark's command line.
  const commands = page.getByLabel("Command line of each benchmark");
  for (const name of THREE) await expect(commands).toContainText(`--tasks ${name}`);
  const previewed = ((await commands.textContent()) ?? "").replaceAll(/ \\\n\s+/g, " ");

  await stack.endpoint.hold(40);
  await page.getByRole("button", { name: "Launch 3 benchmarks" }).click();
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
  const run = new URL(page.url()).pathname.split("/").pop() as string;
  await stack.endpoint.held();

  // It stands still in the first benchmark: progress and log have arrived by themselves.
  await expect(page.getByText("Running").first()).toBeVisible();
  await expect(page.getByRole("progressbar", { name: /shapes_suite/ })).toHaveAttribute("aria-valuenow", /^[1-9]\d?$/);
  const started = driverEvents(stack.attemptDir(run)).find((event) => event.event === "benchmark_started");
  for (const word of started?.argv ?? []) expect(previewed).toContain(word);

  await stack.endpoint.release();
  await expect(page.getByText("2 of 3 benchmarks completed").first()).toBeVisible({ timeout: 120_000 });

  // What the API holds is what lmms-eval wrote, and the page shows it.
  const ended = await api.run(run);
  const disk = metricsOnDisk(stack.attemptDir(run));
  const stored = new Map<string, number>();
  for (const [benchmark, metrics] of Object.entries<Record<string, number>>(ended.metrics_snapshot)) {
    for (const [key, value] of Object.entries(metrics)) stored.set(`${benchmark} ${key}`, value);
  }
  expect(stored).toEqual(disk);
  expect(ended.benchmarks.reduce((sum: number, each: { sample_count: number }) => sum + each.sample_count, 0)).toBe(
    samplesOnDisk(stack.attemptDir(run)),
  );
  await expect(page.getByText("boom in process_results").first()).toBeVisible();
});
