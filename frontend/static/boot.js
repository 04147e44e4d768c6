// Starts the application. The addresses carry content hashes, so the page hands them over as data.
const tag = document.querySelector("script[data-js]");
const boot = document.getElementById("boot");

function fail(text, detail) {
  boot.hidden = false;
  boot.setAttribute("role", "alert");
  boot.textContent = `${text} (${detail})`;
}

try {
  const { default: init } = await import(new URL(tag.dataset.js, document.baseURI));
  await init({ module_or_path: new URL(tag.dataset.wasm, document.baseURI) });
  boot.hidden = true;
} catch (error) {
  const text = typeof WebAssembly === "object"
    ? "The application could not be loaded. Reload the page; if that does not help, the server and the page are of different versions."
    : "This browser has no WebAssembly, which the application needs.";
  fail(text, error?.message ?? String(error));
  throw error;
}
