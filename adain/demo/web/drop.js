// Pictures and videos from outside: dropped anywhere on the page, pasted, or chosen in a file dialog.
const PICTURES = "image/*,.heic,.heif,.tif,.tiff,.avif";

// `take(files, place)` gets what was dropped or pasted; `place` is the nearest element around it
// that has a `data-takes`, by its value, or "photo".
export function takeFiles(page, take) {
  let depth = 0;
  const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  const over = (event) => {
    const place = event.target.closest?.("[data-takes]")?.dataset.takes || "photo";
    page.dataset.dropping = place;
    return place;
  };
  const leave = () => {
    depth = 0;
    delete page.dataset.dropping;
  };
  document.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    over(event);
  });
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    over(event);
  });
  document.addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth -= 1;
    if (depth <= 0) leave();
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    const place = over(event);
    leave();
    const files = [...event.dataTransfer.files];
    if (files.length) take(files, place);
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])];
    if (!files.length) return; // text, into a field
    event.preventDefault();
    const place = document.activeElement?.closest("[data-takes]")?.dataset.takes || "photo";
    take(files, place);
  });
}

// The files that somebody chooses; none where the dialog is closed.
export function chooseFiles({ multiple = false, camera = false, accept = PICTURES } = {}) {
  return new Promise((resolve) => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = accept;
    input.multiple = multiple;
    if (camera) input.capture = "environment";
    input.hidden = true;
    const end = (files) => {
      input.remove();
      resolve(files);
    };
    input.addEventListener("change", () => end([...input.files]));
    input.addEventListener("cancel", () => end([]));
    document.body.append(input); // Safari tells only of inputs on the page
    input.click();
  });
}
