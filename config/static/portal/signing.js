/*
 * Signatures drawn on the screen (supervision/visit_feedback.html): what is drawn on [data-sign] goes as a PNG into the
 * hidden "drawing" of its form; [data-clear] begins again. Without script one's own account is the signature.
 */
"use strict";

(() => {
  for (const canvas of document.querySelectorAll("canvas[data-sign]")) {
    const form = canvas.closest("form");
    const pen = canvas.getContext("2d");
    let drawn = false;

    const clear = () => {
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.strokeStyle = "#000";
      pen.lineWidth = 3;
      pen.lineCap = pen.lineJoin = "round";
      drawn = false;
      form.elements.drawing.value = "";
    };

    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [
        (event.clientX - box.left) * (canvas.width / box.width),
        (event.clientY - box.top) * (canvas.height / box.height),
      ];
    };

    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pen.beginPath();
      pen.moveTo(...at(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      pen.lineTo(...at(event));
      pen.stroke();
      drawn = true;
    });
    form.querySelector("[data-clear]").addEventListener("click", clear);
    form.addEventListener("submit", (event) => {
      if (event.submitter && event.submitter.hasAttribute("data-account")) form.elements.drawing.value = "";
      else if (drawn) form.elements.drawing.value = canvas.toDataURL("image/png");
      else {
        event.preventDefault();
        form.querySelector("[data-ask]").hidden = false;
      }
    });
    clear();
  }
})();
