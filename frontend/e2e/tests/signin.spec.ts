import { expect, signIn, test } from "../support/fixtures.ts";

test("the one-time link opens the product once and leaves the address", async ({ page, stack, session, browser, expected }) => {
  expect(session).not.toBe("");
  // The session above has used the link up.
  expected.push(/status of 40[0-9]/);
  await page.goto(stack.signInUrl);
  await expect(page.getByRole("alert")).toContainText("This sign-in link does not work");
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  expect(page.url()).not.toContain("link=");

  const other = await browser.newContext();
  await other.addCookies(JSON.parse(session).cookies);
  const home = await other.newPage();
  await home.goto(stack.url);
  await expect(home.getByRole("navigation", { name: "Main" })).toBeVisible();
  await other.close();
});

test("a wrong password is refused in words", async ({ page, stack, expected }) => {
  expected.push(/status of 40[0-9]/);
  await page.goto(stack.url);
  await page.getByLabel("E-mail").fill("nobody@example.org");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByLabel("Password")).toHaveAttribute("aria-invalid", "true");
});

test("a session survives a reload without anything in storage", async ({ signedIn: page }) => {
  await page.reload();
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  expect(stored).not.toMatch(/eyJ|token/i);
});
