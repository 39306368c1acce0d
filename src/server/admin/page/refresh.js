const form = document.querySelector("form");
let touched = false;
form.addEventListener("input", () => { touched = true; });
setInterval(() => {
  if (!touched && !document.hidden && !form.contains(document.activeElement)) location.reload();
}, 10000);
