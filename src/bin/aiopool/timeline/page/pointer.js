// Mouse, wheel and keys on the picture.

/** Moves less than this, in pixels, are a click. */
const CLICK = 4;

function listen(picture, actions) {
  listenToPointer(picture, actions);
  listenToWheel(picture);
  listenToOverview(picture);
  listenToKeys(picture, actions);
}

function listenToPointer(picture, actions) {
  const { scroller, canvas } = picture;
  let drag = null;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { x: event.clientX, y: event.clientY, from: picture.from, to: picture.to, top: scroller.scrollTop, isClick: true };
    canvas.setPointerCapture(event.pointerId);
    scroller.focus({ preventScroll: true });
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag === null) return actions.hover(picture.at(...place(event)), event);
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    if (drag.isClick && Math.hypot(dx, dy) < CLICK) return;
    drag.isClick = false;
    scroller.classList.add("is-dragged");
    const by = (dx / (picture.width - picture.gutter)) * (drag.to - drag.from);
    picture.show(drag.from - by, drag.to - by);
    if (event.pointerType === "mouse") scroller.scrollTop = drag.top - dy;
    actions.hover({ task: -1 }, event);
  });
  const end = (event) => {
    if (drag?.isClick && event.type === "pointerup") actions.select(picture.at(...place(event)).task);
    drag = null;
    scroller.classList.remove("is-dragged");
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", (event) => actions.hover({ task: -1 }, event));
  canvas.addEventListener("dblclick", (event) => picture.zoom(0.4, picture.time(place(event)[0])));
  scroller.addEventListener("scroll", () => picture.draw());
}

/** A plain wheel scrolls the page or the rows, as everywhere. */
function listenToWheel(picture) {
  picture.scroller.addEventListener("wheel", (event) => {
    const box = picture.canvas.getBoundingClientRect();
    const isZoom = event.ctrlKey || event.metaKey;
    const along = event.shiftKey ? event.deltaX || event.deltaY : Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : 0;
    if (isZoom) picture.zoom(Math.exp(event.deltaY * 0.002), picture.time(Math.max(picture.gutter, event.clientX - box.left)));
    else if (along !== 0) picture.move(along / (picture.width - picture.gutter));
    else return;
    event.preventDefault();
  }, { passive: false });
}

/** A press on the overview shows that time, and a drag goes on. */
function listenToOverview(picture) {
  const { overview, run } = picture;
  const go = (event) => {
    const box = overview.getBoundingClientRect(), half = (picture.to - picture.from) / 2;
    const time = run.begin + ((event.clientX - box.left) / box.width) * (run.end - run.begin);
    picture.show(time - half, time + half);
  };
  overview.addEventListener("pointerdown", (event) => {
    overview.setPointerCapture(event.pointerId);
    go(event);
  });
  overview.addEventListener("pointermove", (event) => event.buttons === 1 && go(event));
}

function listenToKeys(picture, actions) {
  const keys = {
    w: () => picture.zoom(0.6), "+": () => picture.zoom(0.6), "=": () => picture.zoom(0.6),
    s: () => picture.zoom(1 / 0.6), "-": () => picture.zoom(1 / 0.6),
    a: () => picture.move(-0.2), d: () => picture.move(0.2),
    0: () => picture.showAll(), "/": actions.search,
    n: () => actions.go(1), N: () => actions.go(-1), Escape: () => actions.select(-1),
  };
  // Only where the picture has the focus: elsewhere they scroll the page.
  const arrows = { ArrowLeft: keys.a, ArrowRight: keys.d };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    const action = keys[event.key] ?? (event.target === picture.scroller ? arrows[event.key] : undefined);
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}
