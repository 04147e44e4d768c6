/** A server that cannot reach its database: the pages keep what they have, and say how old it is. */
import { expect, test } from "../support/fixtures.ts";

test.use({ expected: [/status of 503/] });

const AWAY = { type: "/problems/unavailable", title: "Unavailable", status: 503, detail: "the database does not answer" };

test("what is shown while the database is away is marked with its age", async ({ signedIn: page, stack }) => {
  await page.goto(`${stack.url}/models`);
  const main = page.getByRole("main");
  const heading = main.getByRole("heading", { name: "Models", exact: true });
  await expect(heading).toBeVisible();
  const away = /state as of \d\d?:\d\d:\d\d/;
  await expect(main.getByText(away)).toHaveCount(0);

  await page.route("**/api/v1/**", (route) => route.fulfill({ status: 503, json: AWAY, headers: { "retry-after": "1" } }));
  await expect(main.getByText(away).first()).toBeVisible({ timeout: 20_000 });
  await expect(heading).toBeVisible();

  await page.unroute("**/api/v1/**");
  await expect(main.getByText(away)).toHaveCount(0, { timeout: 20_000 });
});
