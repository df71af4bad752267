// Questions that tests/test_pages.py asks a page. Each returns a list of what is wrong.

window.probes = (() => {
  const shown = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 1 && height > 1
      && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  const name = (element) => {
    const classes = element.getAttribute("class") ?? "";
    return `<${element.localName} class="${classes}"> ${element.textContent.trim().slice(0, 40)}`;
  };
  const textNodes = (without) => {
    const nodes = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (node.data.trim() && !node.parentElement.closest(without)) nodes.push(node);
    }
    return nodes;
  };

  // Colours as [red, green, blue, alpha], each from 0 to 1, whatever way CSS writes them.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colours = new Map();
  const colour = (css) => {
    if (!colours.has(css)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = css;
      canvas.fillRect(0, 0, 1, 1);
      colours.set(css, [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => byte / 255));
    }
    return colours.get(css);
  };
  const over = ([r, g, b, alpha], behind) =>
    [r, g, b].map((value, i) => alpha * value + (1 - alpha) * behind[i]);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    if (!element) return [1, 1, 1];
    const here = colour(getComputedStyle(element).backgroundColor);
    return here[3] === 1 ? here.slice(0, 3) : over(here, background(element.parentElement));
  };
  const opacity = (element) =>
    element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1;
  const contrast = (element) => {
    const behind = background(element);
    const [r, g, b, alpha] = colour(getComputedStyle(element).color);
    const text = over([r, g, b, alpha * opacity(element)], behind);
    const [dark, light] = [luminance(text), luminance(behind)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  return {
    lowContrast: () => {
      const parents = new Set(textNodes("script, style, noscript").map((n) => n.parentElement));
      return [...parents].filter(shown)
        .map((element) => [contrast(element), element])
        .filter(([ratio]) => ratio < 4.5)
        .map(([ratio, element]) => `${ratio.toFixed(2)} ${name(element)}`);
    },
    rawText: () => textNodes("pre, code, script, style, mjx-container, .sig")
      .map((node) => node.data)
      .filter((text) => /\$|\\[([]|<\/?(a|details|summary)\b|```|\{[\w:]+\}`|\*\*/.test(text)),
    badMath: () => [
      ...[...document.querySelectorAll(".math")].filter((e) => !e.querySelector("mjx-container")),
      ...document.querySelectorAll("mjx-merror, [data-mjx-error], [data-mml-node=merror]"),
      ...document.querySelectorAll("mjx-container [style*='color: red'], mjx-container [mathcolor=red]"),
    ].map(name),
    tooWide: () => document.documentElement.scrollWidth <= innerWidth ? [] : [
      `${document.documentElement.scrollWidth} px of ${innerWidth}`,
      ...[...document.querySelectorAll("main *")]
        .filter((e) => e.getBoundingClientRect().right > innerWidth).slice(0, 5).map(name),
    ],
    badHeadings: () => {
      const headings = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")];
      const titles = headings.filter((heading) => heading.localName === "h1" && shown(heading));
      const jumps = [...document.querySelectorAll("main :is(h1, h2, h3, h4, h5, h6)")]
        .filter((heading, i, all) => heading.localName[1] - (all[i - 1]?.localName[1] ?? 0) > 1);
      return [...(titles.length === 1 ? [] : titles.concat(document.body)), ...jumps].map(name);
    },
    badImages: () => [...document.images]
      .filter((image) => !image.complete || !image.naturalWidth || !(
        image.alt.trim() || image.closest("a")?.textContent.trim()))
      .map((image) => `${image.src} alt=${image.alt}`),
  };
})();
