/** Owns the panel's few signs, drawn as SVG in the text's colour. Always beside a word or a label, never alone. */
import { svg, html, type TemplateResult } from 'lit';

const shapes = {
  run: svg`<path d="M4 2.5v11l9-5.5z" />`,
  pause: svg`<path d="M4 3h3v10H4zM9 3h3v10H9z" />`,
  stop: svg`<path d="M3.5 3.5h9v9h-9z" />`,
  right: svg`<path d="M6.2 12.4 2.4 8.6l1.1-1.1 2.7 2.7 6.3-6.3 1.1 1.1z" />`,
  wrong: svg`<path d="m8 6.9 3.7-3.7 1.1 1.1L9.1 8l3.7 3.7-1.1 1.1L8 9.1l-3.7 3.7-1.1-1.1L6.9 8 3.2 4.3l1.1-1.1z" />`,
  partly: svg`<path d="M2.5 7.2h11v1.6h-11z" />`,
  warning: svg`<path d="M8 1.6 15 14H1zm-.8 4.6v4h1.6v-4zm0 5v1.4h1.6v-1.4z" fill-rule="evenodd" />`,
  next: svg`<path d="M5.5 2.8 10.7 8l-5.2 5.2-1.1-1.1L8.5 8 4.4 3.9z" />`,
} as const;

export type IconName = keyof typeof shapes;

export function icon(name: IconName): TemplateResult {
  return html`<svg class="icon icon-${name}" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    ${shapes[name]}
  </svg>`;
}
