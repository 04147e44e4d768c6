import type { Page } from "@playwright/test";
import { expect, test } from "../support/fixtures.ts";
import type { Json } from "../support/api.ts";
import { until } from "../support/wait.ts";

interface Connection {
  /** From which message on it asked. */
  after: number;
  messages: Json[];
}

/** Everything that the page's sockets receive, one entry per connection. */
function listen(page: Page): Connection[] {
  const connections: Connection[] = [];
  page.on("websocket", (socket) => {
    const connection = { after: Number(new URL(socket.url()).searchParams.get("after")), messages: [] as Json[] };
    connections.push(connection);
    socket.on("framereceived", ({ payload }) => connection.messages.push(JSON.parse(String(payload))));
  });
  return connections;
}

/** The numbers from `first` on, one by one. */
function gapless(messages: Json[], first: number): void {
  expect(messages.map((message) => message.seq)).toEqual(messages.map((_, index) => first + index));
}

test.afterEach(async ({ stack }) => stack.endpoint.release());

test("a reload in the middle misses nothing and repeats nothing", async ({ signedIn: page, stack }) => {
  const api = stack.api();
  const model = await api.model("Live 80", stack.endpoint.url, "local-p80");
  const connections = listen(page);
  await stack.endpoint.hold(12);
  const run = await api.launch(model, ["arith_text", "shapes_mc"]);
  await page.goto(`${stack.url}/runs/${run}`);
  await stack.endpoint.held();
  const before = await until("the first messages arrive", () => connections.find((each) => each.messages.length > 0));
  gapless(before.messages, before.after + 1);

  await page.reload();
  await until("the new page listens", () => connections.some((each) => each !== before && each.messages.length > 0));
  await stack.endpoint.release();
  await expect(page.getByRole("main").getByText("Completed").first()).toBeVisible({ timeout: 90_000 });
  const ended = await api.ended(run);
  const later = connections.filter((each) => each !== before && each.messages.length > 0);
  const after = later[0];
  // The new page asks for the history as well, for its charts: it must overlap with what the old one has seen.
  expect(after.after).toBeLessThanOrEqual(before.messages.at(-1).seq);
  await until("the last message arrives", () => later.at(-1)?.messages.at(-1)?.seq === ended.last_seq);
  gapless(later.flatMap((each) => each.messages), after.after + 1);

  // Nothing twice: each entry of the timeline is there once.
  await page.goto(`${stack.url}/runs/${run}?tab=timeline`);
  const entries = page.getByRole("main").locator("ol.time > li");
  await expect(entries).toHaveCount((await api.run(run)).timeline.length);

  // Metrics came one benchmark at a time, each before the run ended.
  const updates = later.flatMap((each) => each.messages).filter((message) => message.type === "metric_update");
  const benchmarks = new Set(updates.map((message) => message.data.benchmark));
  expect([...benchmarks]).toEqual(["arith_text", "shapes_mc"]);
  expect(updates[0].seq).toBeLessThan(updates.at(-1).seq);
});

test("the log of the page is the log of the API", async ({ signedIn: page, stack }) => {
  const api = stack.api();
  const model = await api.model("Log 80", stack.endpoint.url, "local-p80");
  await stack.endpoint.hold(6);
  const run = await api.launch(model, ["arith_text"]);
  await page.goto(`${stack.url}/runs/${run}?tab=log`);
  await stack.endpoint.held();
  // The lines arrive while the evaluation stands still in the middle.
  await expect(page.getByRole("log")).toContainText("Verbosity set to INFO");
  await stack.endpoint.release();
  await api.ended(run);
  await expect(page.getByRole("log")).toContainText("arith_text", { timeout: 30_000 });

  const lines = (await api.get(`/runs/${run}/logs?limit=1000`)).lines as { message: string; byte_offset: number; stream: string }[];
  const places = lines.map((line) => `${line.stream} ${line.byte_offset}`);
  expect(new Set(places).size, "no line twice").toBe(places.length);

  await page.getByLabel("Search the log").fill("Verbosity");
  await expect(page.getByRole("log")).toContainText("Verbosity set to INFO");
  await expect(page.getByRole("log")).not.toContainText("Evaluation tracker");
});
