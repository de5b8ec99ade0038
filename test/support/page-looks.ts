/**
 * Evaluated in a page: each text that has less contrast to what is behind it than WCAG's 4.5, with its contrast. It is text, since
 * the types of a page are no part of the tests.
 */
export const FAINT_TEXTS = `(() => {
  const read = (text) => {
    const numbers = (text.match(/[\\d.]+/g) ?? []).map(Number);
    const [red = 0, green = 0, blue = 0, alpha = 1] = numbers;
    return text.startsWith('color(') ? [red * 255, green * 255, blue * 255, alpha] : [red, green, blue, alpha];
  };
  const over = (top, under) => {
    const mix = (at) => top[at] * top[3] + under[at] * (1 - top[3]);
    return [mix(0), mix(1), mix(2), 1];
  };
  const luminance = ([red, green, blue]) => {
    const [r = 0, g = 0, b = 0] = [red, green, blue].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (element) => {
    const above = read(getComputedStyle(element).backgroundColor);
    if (above[3] === 1) return above;
    return over(above, element.parentElement ? groundOf(element.parentElement) : [255, 255, 255, 1]);
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement;
    if (!element || !node.nodeValue?.trim() || !element.checkVisibility()) continue;
    if (element.closest('.unseen, noscript, :disabled, option')) continue;
    const ground = groundOf(element);
    const [ink, under] = [luminance(over(read(getComputedStyle(element).color), ground)), luminance(ground)];
    const contrast = (Math.max(ink, under) + 0.05) / (Math.min(ink, under) + 0.05);
    if (contrast < 4.5) faint.push(node.nodeValue.trim().slice(0, 30) + ': ' + contrast.toFixed(2));
  }
  return faint;
})()`;
