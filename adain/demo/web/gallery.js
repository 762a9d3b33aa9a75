// A row of pictures to choose from: buttons, of which the one that was clicked is pressed.
// pictures: [{name, title, description, src}]; value: the name of the pressed one, or null.
const row = element.querySelector(".choices");

function choice({ name, title, description, src }) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.name = name;
  button.title = description;
  const picture = document.createElement("img");
  picture.src = src;
  picture.alt = description;
  const label = document.createElement("span");
  label.textContent = title;
  button.append(picture, label);
  button.addEventListener("click", () => {
    props.value = name;
    press();
    trigger("select");
  });
  return button;
}

function press() {
  for (const button of row.children) {
    button.setAttribute("aria-pressed", String(button.dataset.name === props.value));
  }
}

row.replaceChildren(...props.pictures.map(choice));
watch("value", press);
press();
