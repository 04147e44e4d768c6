/** What the model was shown: pictures, sounds and films of a real evaluation, seen by those who may. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import type { Json } from "../support/api.ts";
import { expect, pageOf, test } from "../support/fixtures.ts";
import { expectGood } from "../support/good.ts";
import { sha256 } from "../support/results.ts";
import { Stack } from "../support/stack.ts";

const DEMO = "Demo";
const TASKS = ["demo_count", "demo_tone", "demo_motion"];

/** The files that the driver kept of a benchmark, by their hash. */
function kept(stack: Stack, run: string, order: number): Map<string, Buffer> {
  const folder = join(stack.attemptDir(run), "out", String(order), "media");
  return new Map(readdirSync(folder).map((name) => [name.split(".")[0], readFileSync(join(folder, name))]));
}

/** A sample of a task, with its media. */
async function sampleOf(stack: Stack, run: string, benchmark: Json): Promise<Json> {
  const page = await stack.api("owner", DEMO).get(`/runs/${run}/samples?run_benchmark_id=${benchmark.id}&sort_by=error&limit=5`);
  return page.samples[0];
}

/** The organization stands in the addresses of its media. */
function organizationOf(sample: Json): string {
  return sample.media[0].url.split("/")[2];
}

async function open(page: Page, stack: Stack, run: Json, sample: Json): Promise<void> {
  await page.goto(`${stack.url}/failures?org=${organizationOf(sample)}&run=${run.id}&mark=all&of=${sample.run_benchmark_id}&sample=${sample.id}`);
  await expect(page.getByRole("heading", { name: "Input" })).toBeVisible();
}

test("the failures of a run show what the model was given, and to nobody else", async ({ browser }) => {
  test.setTimeout(480_000);
  const stack = await Stack.start({ LMMS_DEMO: "true", LMMS_DEMO_LATENCY: "5ms" });
  try {
    const api = stack.api("owner", DEMO);
    await api.storeKey();
    const models = await api.get("/models");
    const id = await api.launch(models.models[0], TASKS, { limit: 6 });
    const run = await api.ended(id, 300_000);
    expect(run.status).toBe("completed");
    const samples: Json[] = [];
    for (const benchmark of run.benchmarks) samples.push(await sampleOf(stack, id, benchmark));
    await bytesAreTheDrivers(stack, id, samples);
    await nobodyElseSees(stack, samples[0]);
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
    await pageOf(context, stack, async (page) => {
      await picture(page, stack, run, samples[0]);
      await sound(page, stack, run, samples[1]);
      await film(page, stack, run, samples[2]);
      await inTheRun(page, stack, run, samples[0]);
    });
    await context.close();
  } finally {
    await stack.stop();
  }
});

async function bytesAreTheDrivers(stack: Stack, run: string, samples: Json[]): Promise<void> {
  for (const [order, kind] of ["image", "audio", "video"].entries()) {
    const [medium] = samples[order].media;
    expect(medium).toMatchObject({ kind, problem: null });
    const whole = await fetch(stack.url + medium.url);
    const bytes = Buffer.from(await whole.arrayBuffer());
    expect(sha256(bytes)).toBe(medium.sha256);
    expect(kept(stack, run, order).get(medium.sha256)?.equals(bytes)).toBe(true);
    const part = await fetch(stack.url + medium.url, { headers: { range: "bytes=4-11" } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(4, 12))).toBe(true);
    expect(part.headers.get("content-range")).toBe(`bytes 4-11/${bytes.length}`);
  }
}

async function nobodyElseSees(stack: Stack, sample: Json): Promise<void> {
  const url: string = sample.media[0].url;
  const theirs = url.replace(/\/media\/[^/]+/, "/media/00000000-0000-0000-0000-000000000000");
  for (const wrong of [url.split("?")[0], url.slice(0, -4) + "0000", theirs]) {
    expect((await fetch(stack.url + wrong)).status, wrong).toBeGreaterThanOrEqual(400);
  }
  expect((await stack.api("owner").request("GET", `/samples/${sample.id}`)).status).toBe(404);
}

async function picture(page: Page, stack: Stack, run: Json, sample: Json): Promise<void> {
  await open(page, stack, run, sample);
  const image = page.getByRole("img", { name: /^Image: / });
  await expect(image).toBeVisible();
  await expect.poll(() => image.evaluate((node: HTMLImageElement) => node.naturalWidth)).toBe(sample.media[0].width);
  await expect(page.locator(".list__i .thumb img").first()).toBeVisible();
  await expectGood(page, "media-image");
  const scale = (): Promise<number> => image.evaluate((node) => node.getBoundingClientRect().width / node.clientWidth);
  await page.keyboard.press("+");
  await page.keyboard.press("+");
  await expect.poll(scale).toBeCloseTo(2.25, 1);
  const left = async (): Promise<number> => (await image.boundingBox())!.x;
  const before = await left();
  await page.getByRole("group", { name: /^Image: / }).focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(left).toBeLessThan(before);
  await page.keyboard.press("0");
  await expect.poll(scale).toBeCloseTo(1, 2);
}

async function sound(page: Page, stack: Stack, run: Json, sample: Json): Promise<void> {
  await open(page, stack, run, sample);
  const wave = page.getByRole("img", { name: /^Wave of the sound/ });
  await expect(wave).toBeVisible();
  const drawn = (): Promise<boolean> =>
    wave.evaluate((node: HTMLCanvasElement) => node.getContext("2d")!.getImageData(0, 0, node.width, node.height).data.some((value) => value > 0));
  await expect.poll(drawn).toBe(true);
  const player = page.locator("audio");
  await expect.poll(() => player.evaluate((node: HTMLAudioElement) => node.duration)).toBeGreaterThan(0);
  await expectGood(page, "media-sound");
}

async function film(page: Page, stack: Stack, run: Json, sample: Json): Promise<void> {
  await open(page, stack, run, sample);
  await expect(page.getByText(/^frame 1 of \d+, 0\.00 s$/)).toBeVisible();
  const frame = page.getByRole("img", { name: /^Film: / });
  await expect.poll(() => frame.evaluate((node: HTMLCanvasElement) => node.width)).toBeGreaterThan(16);
  await page.keyboard.press(".");
  await expect(page.getByText(/^frame 2 of/)).toBeVisible();
  await page.keyboard.press(",");
  await expect(page.getByText(/^frame 1 of/)).toBeVisible();
  await page.getByRole("button", { name: "Play" }).click();
  await expect(page.getByText(/^frame (\d+) of \1,/)).toBeVisible();
  await expectGood(page, "media-film");
}

async function inTheRun(page: Page, stack: Stack, run: Json, sample: Json): Promise<void> {
  await page.goto(`${stack.url}/runs/${run.id}?org=${organizationOf(sample)}&tab=samples`);
  const small = page.getByRole("link", { name: "Look at: Image" }).first();
  await expect(small.locator("img")).toBeVisible();
  await expectGood(page, "media-run");
  await small.click();
  await expect(page.getByRole("img", { name: /^Image: / })).toBeVisible();
}
