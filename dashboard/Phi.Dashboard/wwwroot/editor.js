// The manifest editor's island: text with numbered lines. What was typed outlives a page that has to load again.
const QUIET_MS = 300;

/** @param {{key: string, text: string, label: string}} state */
export function create(root, page, state) {
  const key = `phi-draft:${state.key}`;
  const gutter = document.createElement('pre');
  gutter.className = 'phi-editor-lines';
  gutter.setAttribute('aria-hidden', 'true');
  const text = document.createElement('textarea');
  text.className = 'phi-editor-text';
  text.spellcheck = false;
  text.wrap = 'off';
  text.autocapitalize = 'off';
  text.setAttribute('aria-label', state.label);
  text.value = sessionStorage.getItem(key) ?? state.text;
  root.replaceChildren(gutter, text);
  let timer = 0;

  const number = () => {
    const lines = text.value.split('\n').length;
    gutter.textContent = Array.from({ length: lines }, (_, i) => i + 1).join('\n');
  };
  const tell = () => page.invokeMethodAsync('Edited', text.value);
  text.addEventListener('input', () => {
    number();
    sessionStorage.setItem(key, text.value);
    clearTimeout(timer);
    timer = setTimeout(tell, QUIET_MS);
  });
  text.addEventListener('scroll', () => {
    gutter.scrollTop = text.scrollTop;
  });
  number();
  tell();

  return {
    /** Another text instead of what was typed. */
    reset(value) {
      sessionStorage.removeItem(key);
      text.value = value;
      number();
      tell();
    },
    dispose() {
      clearTimeout(timer);
    },
  };
}
