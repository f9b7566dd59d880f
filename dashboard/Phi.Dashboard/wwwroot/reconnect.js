// A page whose connection is lost never stays dead: it waits until the dashboard answers, and if its circuit is gone it loads again. All of
// its state is in its address.
const PERIOD_MS = 1000;
const modal = document.getElementById('components-reconnect-modal');
let isWaiting = false;

modal.addEventListener('components-reconnect-state-changed', event => {
  const { state } = event.detail;
  modal.hidden = state === 'hide';
  if (state === 'failed' || state === 'rejected' || state === 'resume-failed') {
    reloadWhenBack();
  }
});

async function reloadWhenBack() {
  if (isWaiting) {
    return;
  }
  isWaiting = true;
  for (;;) {
    try {
      const response = await fetch(location.href, { method: 'GET', cache: 'no-store' });
      if (response.ok || response.status === 401) {
        location.reload();
        return;
      }
    } catch (problem) {
      // A request that nobody answers is a TypeError: the dashboard is still away.
      if (!(problem instanceof TypeError)) {
        throw problem;
      }
    }
    await new Promise(resolve => setTimeout(resolve, PERIOD_MS));
  }
}
