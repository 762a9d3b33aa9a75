// Saves what the server made, under a name, as a click on a link would.
// value: {name, data: a data URL, made: a number that differs each time}.
watch("value", async () => {
  const { name, data } = props.value || {};
  if (!data) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await (await fetch(data)).blob());
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
});
