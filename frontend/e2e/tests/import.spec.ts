/** What was measured elsewhere comes in by the browser, trap and all, and goes out as files that others read. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expect, test } from "../support/fixtures.ts";
import { expectGood } from "../support/good.ts";

/** A results document as lmms-eval writes it. */
function document(model: string, value: number): string {
  return JSON.stringify({
    results: { shapes_mc: { alias: "shapes_mc", "mc_acc,none": value, "mc_acc_stderr,none": 0.1, "submission,none": null } },
    configs: { shapes_mc: {} },
    config: { model: "vllm", model_args: `pretrained=${model},api_key=sk-abcdefghij0123456789` },
    model_name: model,
    higher_is_better: { shapes_mc: { mc_acc: true } },
    "n-samples": { shapes_mc: { original: 2, effective: 2 } },
    date: "20260101_080000",
  });
}

/** Two samples with a line between them that is none. */
function samples(): string {
  const line = (id: number, answer: string, value: number): string =>
    JSON.stringify({ doc_id: id, target: "A", filtered_resps: [answer], mc_acc: value, input: `Question ${id}: <b>模型</b>` });
  return `${line(0, "A", 1)}\n{"doc_id": 1, "tar\n${line(1, "B", 0)}\n`;
}

/** A folder of results, and an archive with a name that leads out of it and a document that is cut off. */
function elsewhere(): { root: string; folder: string; zip: string } {
  const root = mkdtempSync(join(tmpdir(), "lmms-import-"));
  const folder = join(root, "history");
  mkdirSync(join(folder, "org__m"), { recursive: true });
  writeFileSync(join(folder, "org__m", "20260101_080000_results.json"), document("org/m", 0.5));
  writeFileSync(join(folder, "org__m", "20260101_080000_samples_shapes_mc.jsonl"), samples());
  const zip = join(root, "more.zip");
  const write = [
    "import sys, zipfile",
    "with zipfile.ZipFile(sys.argv[1], 'w') as z:",
    "    z.writestr('b/20260102_080000_results.json', sys.argv[2])",
    "    z.writestr('../../evil_results.json', sys.argv[2])",
    "    z.writestr('cut_results.json', sys.argv[2][:60])",
  ].join("\n");
  execFileSync("python3", ["-c", write, zip, document("org/other", 0.25)]);
  return { root, folder, zip };
}

/** The rows of a Parquet file, as Arrow reads them. */
function parquet(file: string): Record<string, unknown>[] {
  const read = "import sys, json, pyarrow.parquet as pq; print(json.dumps(pq.read_table(sys.argv[1]).to_pylist()))";
  return JSON.parse(execFileSync(process.env.LMMS_EVAL_PYTHON as string, ["-c", read, file], { encoding: "utf8" }));
}

/** The rows of a CSV file, as Python reads them. */
function csv(file: string): Record<string, string>[] {
  const read = "import sys, json, csv; print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8')))))";
  return JSON.parse(execFileSync("python3", ["-c", read, file], { encoding: "utf8" }));
}

async function exported(page: Page, kind: string, folder: string): Promise<string> {
  await page.getByRole("button", { name: "Export" }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: kind }).click()]);
  const path = join(folder, download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

test("a folder and an archive with traps become runs, and leave as files that Arrow reads", async ({ signedIn: page, stack }) => {
  test.slow();
  const api = stack.api();
  const own = elsewhere();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Import" }).click();
  await expect(page.getByRole("heading", { name: "Import", exact: true })).toBeVisible();
  await expectGood(page, "import");
  await page.getByLabel("Choose a folder…").setInputFiles(own.folder);

  // It is only looked at: the table says what each file is, and nothing is stored.
  await page.waitForURL(/\/import\/[0-9a-f-]{36}/);
  await expect(page.getByText("1 run will be stored.")).toBeVisible();
  await page.getByLabel("Choose files…").setInputFiles(own.zip);
  await expect(page.getByText("2 runs will be stored.")).toBeVisible();
  const files = page.getByRole("region", { name: "Files, table" });
  const row = (name: string) => files.getByRole("row").filter({ hasText: name });
  await expect(row("samples_shapes_mc")).toContainText("2 samples, 1 broken line");
  await expect(row("samples_shapes_mc")).toContainText("line 2");
  await expect(row("history/org__m/20260101_080000_results")).toContainText("1 secret blotted out");
  await expect(row("evil_results")).toContainText("leads out of the archive");
  await expect(row("cut_results")).toContainText("Unreadable");
  const id = new URL(page.url()).pathname.split("/").pop() as string;
  expect((await api.get(`/imports/${id}`)).runs).toEqual([]);

  // Names are mapped with the keyboard alone.
  await page.getByLabel("Model here for org/m").focus();
  await page.keyboard.type("Brought in");
  await page.keyboard.press("Tab");
  await page.keyboard.type("step-7");
  await expectGood(page, "import-checked");
  await page.getByRole("button", { name: "Import", exact: true }).press("Enter");
  await expect(page.getByText("Imported", { exact: true })).toBeVisible();
  await expect(page.getByText("2 of 2 runs stored or known")).toBeVisible();
  await expectGood(page, "import-done");

  await page.getByRole("link", { name: "Brought in on shapes_mc" }).click();
  await page.waitForURL(/\/runs\//);
  await expect(page.getByText("step-7").first()).toBeVisible();
  const run = new URL(page.url()).pathname.split("/").pop() as string;
  expect((await api.get(`/runs/${run}`)).checkpoint_variant).toBe("step-7");

  // What goes out is what the API says: in Parquet with its types, in CSV as text.
  await page.goto(`${stack.url}/failures?run=${run}&mark=all`);
  await expect(page.getByRole("heading", { name: "2 samples" })).toBeVisible();
  const said = (await api.get(`/runs/${run}/samples?sort_by=error`)).samples as { doc_id: number; score: number; input: { text: string } }[];
  const table = parquet(await exported(page, "Parquet", own.root));
  expect(table.map((sample) => [sample.run_id, sample.doc_id, sample.score, sample.input])).toEqual(
    said.map((sample) => [run, sample.doc_id, sample.score, sample.input.text]),
  );
  const text = csv(await exported(page, "CSV", own.root));
  expect(text.map((sample) => [Number(sample.doc_id), Number(sample.score)])).toEqual(said.map((sample) => [sample.doc_id, sample.score]));

  await page.goto(`${stack.url}/leaderboard`);
  await expect(page.getByRole("row").filter({ hasText: "Brought in" })).toBeVisible();
  const board = parquet(await exported(page, "Parquet", own.root));
  const mine = board.filter((cell) => cell.model === "Brought in");
  expect(mine).toEqual([expect.objectContaining({ run_id: run, value: 0.5, stderr: 0.1, n: 2, direction: "higher is better", checkpoint: "step-7" })]);
  await page.goto(`${stack.url}/runs?search=shapes_mc`);
  await expect(page.getByText("Brought in").first()).toBeVisible();
  const runs = parquet(await exported(page, "Parquet", own.root));
  const total = (await api.get("/runs?search=shapes_mc")).total as number;
  expect(runs.length).toBe(total);
  rmSync(own.root, { recursive: true });

  // The same again is known, and nothing is stored twice.
  const again = elsewhere();
  await page.goto(`${stack.url}/import`);
  await page.getByLabel("Choose a folder…").setInputFiles(again.folder);
  await expect(page.getByText("1 run in these files, known already.")).toBeVisible();
  rmSync(again.root, { recursive: true });
});
