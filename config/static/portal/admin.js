/*
 * The admin's choosers (Select2) have no name of their own for a screen reader: give them that of their label.
 */
"use strict";

// Registered after Django's own, so that the choosers are there.
window.django?.jQuery?.(() => {
  for (const box of document.querySelectorAll("select + .select2-container")) {
    const label = document.querySelector(`label[for="${CSS.escape(box.previousElementSibling.id)}"]`);
    if (!label) continue;
    const name = label.textContent.trim().replace(/[:：]$/, "");
    for (const part of box.querySelectorAll("[role]")) part.setAttribute("aria-label", name);
  }
});
