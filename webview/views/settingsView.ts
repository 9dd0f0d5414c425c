/**
 * Owns the form over the loop file's main settings. The file's text is the truth: a change is sent as an intent, the
 * window edits the text, and the new text comes back as the new values.
 */
import { html, nothing, type TemplateResult } from 'lit';
import type { RecipeDescription, RecipeField, RecipeSetting } from '../../src/core/model/recipeView.ts';
import { icon } from './icons.ts';

export interface SettingsProps {
  readonly description: RecipeDescription | null;
  readonly running: boolean;
  /** The engine cannot be reached. */
  readonly failed: boolean;
  readonly onSet: (field: RecipeField, value: number) => void;
}

function bounds(setting: RecipeSetting): string {
  return setting.whole && setting.maximum >= Number.MAX_SAFE_INTEGER
    ? `${setting.minimum} or more`
    : `${setting.minimum} to ${setting.maximum}`;
}

/** Tells the browser what is wrong with a value, so that it says so next to the field; true when the value may be sent. */
function check(input: HTMLInputElement, setting: RecipeSetting): boolean {
  const value = input.valueAsNumber;
  const fits =
    Number.isFinite(value) &&
    value >= setting.minimum &&
    value <= setting.maximum &&
    (!setting.whole || Number.isInteger(value));
  input.setCustomValidity(
    fits ? '' : `${labelOf(setting)}: ${setting.whole ? 'a whole number, ' : ''}${bounds(setting)}.`,
  );
  input.reportValidity();
  return fits;
}

function labelOf({ field: name, label }: RecipeSetting): string {
  // A capital of a name stays: "US dollars".
  return name.startsWith('budget.')
    ? `Budget, ${label.replace(/^[A-Z](?=[a-z])/u, (first) => first.toLowerCase())}`
    : label;
}

function field(setting: RecipeSetting, onSet: SettingsProps['onSet']): TemplateResult {
  const id = `setting-${setting.field.replace('.', '-')}`;
  return html`<div class="field">
    <label for=${id}>${labelOf(setting)}</label>
    <input
      id=${id}
      type="number"
      inputmode="decimal"
      min=${setting.minimum}
      max=${setting.maximum}
      step=${setting.whole ? '1' : 'any'}
      placeholder="none"
      title=${setting.help}
      aria-describedby="${id}-help"
      .value=${setting.value === null ? '' : String(setting.value)}
      @change=${(event: Event) => {
        const input = event.target as HTMLInputElement;
        if (input.value === '' && setting.value === null) return;
        if (check(input, setting)) onSet(setting.field, input.valueAsNumber);
      }}
    />
    <span class="unseen" id="${id}-help">${setting.help}</span>
  </div>`;
}

/** The faults of the loop file with their lines; they stand at the top, since nothing runs before they are mended. */
export function problemsView(
  description: RecipeDescription | null,
  onLine: (line: number) => void,
): TemplateResult | typeof nothing {
  const list = description?.problems ?? [];
  if (list.length === 0) return nothing;
  return html`<div class="problems" role="group" aria-label="Problems in the loop file">
    <h3>${icon('warning')}${list.length === 1 ? 'One problem' : `${list.length} problems`} in the loop file</h3>
    <ul>
      ${list.map(
        (problem) => html`<li>
          <button type="button" class="link" @click=${() => onLine(problem.line)}>
            Line ${problem.line}</button
          >: ${problem.message}
        </li>`,
      )}
    </ul>
  </div>`;
}

export function settingsView(props: SettingsProps): TemplateResult {
  const settings = props.description?.settings ?? [];
  return html`<section class="settings" aria-labelledby="settings-title">
    <h2 id="settings-title">Settings</h2>
    ${
      props.description === null
        ? html`<p class="note">${props.failed ? 'The engine reads the loop file; it has to answer first.' : 'Reading the loop file.'}</p>`
        : html`<div class="fields">${settings.map((setting) => field(setting, props.onSet))}</div>`
    }
    ${props.running ? html`<p class="note">Changes count from the next run on.</p>` : nothing}
  </section>`;
}
