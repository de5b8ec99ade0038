/** What may stand in an element. Text becomes a text node, whatever it holds: names come from clients. */
export type Child = Node | string | number | null | undefined | false | readonly Child[];

/** Attributes; a function under a name as `onclick` listens to that event. False and undefined leave the attribute out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined | ((event: Event) => void)>>;

/** Makes an element of HTML. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  assign(element, attributes);
  element.append(...nodesOf(children));
  return element;
}

/** Makes an element of SVG. */
export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  assign(element, attributes);
  element.append(...nodesOf(children));
  return element;
}

/** Sets attributes where they differ, so that nothing is laid out anew for nothing. */
export function assign(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === undefined || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
}

/**
 * Puts children in the place of the present ones, unless they look the same: what has the focus, is selected or is being clicked
 * stays there.
 */
export function fill(element: Element, ...children: readonly Child[]): void {
  const nodes = nodesOf(children);
  const present = element.childNodes;
  if (nodes.length === present.length && nodes.every((node, at) => node.isEqualNode(present[at] ?? null))) return;
  element.replaceChildren(...nodes);
}

function nodesOf(children: readonly Child[]): Node[] {
  return children.flatMap((child): Node | Node[] => {
    if (child instanceof Node) return child;
    if (typeof child === 'string' || typeof child === 'number')
      return child === '' ? [] : document.createTextNode(String(child));
    return child ? nodesOf(child) : [];
  });
}
