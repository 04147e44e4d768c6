// Before the first paint: the theme that the viewer chose, if any. The rest of the theme is in shell/theme.rs.
try {
  const saved = localStorage.getItem("theme");
  if (saved === "light" || saved === "dark") document.documentElement.dataset.theme = saved;
} catch {
  // Storage can be forbidden; then the system's preference holds.
}
