// Puts the page together.

function main() {
  const run = readRun();
  const ranks = rankGroups(run);
  showSummary(run);
  const lanes = makeLanes(run, ranks);
  showLegend(run, ranks, lanes);
  const picture = new Picture(run, lanes, ranks);
  showFigures(run, picture);
  const actions = new Actions(run, picture);
  listen(picture, actions.bound());
  showGroups(run, ranks);
  const later = () => picture.resize();
  window.addEventListener("resize", later);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", later);
  picture.showAll();
}

main();
