import { OWNER, expect, test } from "../support/fixtures.ts";

/** Uses a link up: a product that was started again since the session's sign-in has a fresh one. */
async function useUp(link: string): Promise<void> {
  const { origin, hash } = new URL(link);
  const body = JSON.stringify({ secret: hash.replace("#link=", "") });
  await fetch(`${origin}/auth/v1/link`, { method: "POST", headers: { "content-type": "application/json" }, body });
}

test("the one-time link opens the product once and leaves the address", async ({ page, stack, session, expected }) => {
  // The session has used the link up; what it holds is out of reach of scripts and of other sites.
  const refresh = (await session.cookies()).find((cookie) => cookie.name === "lmms_refresh");
  expect(refresh).toMatchObject({ httpOnly: true, sameSite: "Strict" });
  expected.push(/status of 4\d\d/);
  await useUp(stack.signInUrl);
  await page.goto(stack.signInUrl);
  await expect(page.getByRole("alert")).toContainText("This sign-in link does not work");
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  expect(page.url()).not.toContain("link=");
});

test("a wrong password is refused in words", async ({ page, stack, expected }) => {
  expected.push(/status of 4\d\d/);
  await page.goto(stack.url);
  await page.getByLabel("E-mail").fill("nobody@example.org");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByLabel("Password")).toHaveAttribute("aria-invalid", "true");
});

test("the address and password that were set open the product again", async ({ page, stack, session, expected }) => {
  expect(await session.cookies()).not.toEqual([]);
  expected.push(/status of 4\d\d/);
  await page.goto(stack.url);
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.getByLabel("Password").fill(OWNER.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
});

test("a session survives a reload without a token in storage", async ({ signedIn: page }) => {
  await page.reload();
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  expect(stored).not.toMatch(/eyJ|token/i);
});
