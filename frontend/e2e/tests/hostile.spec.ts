/** Markup as a name, as a model's answer and in the log: it is shown, and it does nothing. */
import { expect, test } from "../support/fixtures.ts";

const NAME = "<img src=x onerror=alert('name')>";

test("what a model answers is text on every page", async ({ signedIn: page, stack }) => {
  test.slow();
  const dialogs: string[] = [];
  page.on("dialog", async (dialog) => {
    dialogs.push(dialog.message());
    await dialog.dismiss();
  });
  const api = stack.api();
  const model = await api.model(NAME, stack.endpoint.url, "local-hostile");
  const run = await api.launch(model, ["shapes_color", "shapes_mc"]);
  await api.ended(run);
  const main = page.getByRole("main");

  await page.goto(`${stack.url}/runs/${run}?tab=samples`);
  await expect(main).toContainText(NAME);
  await expect(main).toContainText(/<(script|img|svg|iframe|style)/);
  await page.goto(`${stack.url}/runs/${run}?tab=log`);
  await expect(page.getByRole("log")).toContainText("Verbosity set to INFO");
  for (const path of ["/", "/runs", "/leaderboard", "/models", `/models/${model.id}`, "/failures"]) {
    await page.goto(`${stack.url}${path}`);
    await expect(main.getByRole("heading").first()).toBeVisible();
  }
  await expect(main).toContainText(/<(script|img|svg|iframe|style)/);

  // A complaint of the content security policy fails the test by itself: see the fixtures.
  expect(dialogs).toEqual([]);
  const made = main.locator("script, iframe, img[onerror], svg[onload], a[href^='javascript']");
  await expect(made).toHaveCount(0);
});
