// Elements that several parts of the page are made of.

// A button that takes something away.
export function cross(title, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "cross";
  button.textContent = "×";
  button.setAttribute("aria-label", `Remove ${title}`);
  button.addEventListener("click", act);
  return button;
}

// A decorative picture, from a promise of its address; nothing where that fails.
export function picture(src) {
  const image = document.createElement("img");
  image.alt = "";
  image.loading = "lazy";
  image.decoding = "async";
  src.then((found) => (image.src = found), () => {});
  return image;
}
