'use strict';
// Puts the list that the gateway sends in the place of the one on the page. Without it the page is that list.
(() => {
  const list = document.getElementById('punches');
  const state = document.getElementById('live');
  if (!list || !state || !window.EventSource) return;
  let waiting = null;
  // Never under the fingers of somebody who is in the list.
  const put = () => {
    if (waiting === null || list.contains(document.activeElement)) return;
    list.innerHTML = waiting;
    waiting = null;
  };
  const source = new EventSource('/dashboard/events');
  source.addEventListener('open', () => { state.textContent = state.dataset.open; });
  source.addEventListener('error', () => { state.textContent = state.dataset.lost; });
  source.addEventListener('punches', (event) => {
    waiting = JSON.parse(event.data);
    put();
  });
  list.addEventListener('focusout', () => { setTimeout(put); });
})();
