/** The launcher as a person uses it. */
import { type Page, expect } from "@playwright/test";

export async function openLauncher(page: Page): Promise<void> {
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Launch" }).click();
  await expect(page.getByRole("heading", { name: "Launch a run" })).toBeVisible();
}

export async function pickModel(page: Page, name: string): Promise<void> {
  const picker = page.getByRole("combobox", { name: "Model" });
  await picker.click();
  await picker.fill(name);
  await page.getByRole("option", { name }).click();
  await expect(picker).toHaveValue(name);
}

export async function pickBenchmark(page: Page, name: string): Promise<void> {
  const search = page.getByLabel("Search benchmarks");
  await search.fill(name);
  const row = page.getByRole("tree", { name: "Benchmarks" }).getByRole("treeitem").filter({ hasText: new RegExp(`^${name}\\b`) });
  await row.first().getByRole("checkbox").check();
  await search.fill("");
}

/** A variable of the environment whose value is the secret of the same name. */
export async function addSecret(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "Add variable" }).click();
  await page.getByLabel("Variable", { exact: true }).last().fill(name);
  await page.getByLabel("Kind of value").last().selectOption("secret");
  await page.getByLabel(`Secret of ${name}`).selectOption(name);
}
