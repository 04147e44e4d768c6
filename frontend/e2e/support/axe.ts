/** axe on the page as it is. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Page, expect } from "@playwright/test";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Finding {
  id: string;
  help: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** Fails with each finding and the elements it is about. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  // By evaluate, since a script element would offend the content security policy.
  await page.evaluate(SOURCE);
  const findings: Finding[] = await page.evaluate(async () => {
    // @ts-expect-error axe has just put itself there
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations;
  });
  const lines = findings.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id} (${help}): ${node.target.join(" ")}\n    ${node.failureSummary}`),
  );
  expect(lines, what).toEqual([]);
}
