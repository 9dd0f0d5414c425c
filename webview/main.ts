/**
 * Owns the panel's life in the browser: receives messages, keeps the view, draws it once a frame, speaks for screen
 * readers at most once in five seconds. Deliberately holds no knowledge of runs; panelState.ts does.
 */
import { render } from 'lit';
import { readPanelMessage, type PanelIntent } from '../src/protocol/panel.ts';
import { announcement } from './announcement.ts';
import './panel.css';
import { asked, firstView, readChoices, receive, type Choices, type View } from './panelState.ts';
import { panelView } from './views/panelView.ts';

interface EditorApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): EditorApi;

const overdueMs = 5_000;
const speakEveryMs = 5_000;

function start(app: HTMLElement, spoken: HTMLElement): void {
  const editor = acquireVsCodeApi();
  let view: View = { ...firstView, choices: readChoices(editor.getState()) };
  let chartWidth = 0;
  let overdue = false;
  let drawn = false;
  let speaking = false;

  const send = (intent: PanelIntent) => {
    editor.postMessage(intent);
    view = asked(view, intent);
    draw();
    if (intent.type === 'ready') waitForSnapshot();
  };
  const choose = (choices: Partial<Choices>) => {
    view = { ...view, choices: { ...view.choices, ...choices } };
    editor.setState(view.choices);
    draw();
  };
  const draw = () => {
    if (drawn) return;
    drawn = true;
    requestAnimationFrame(() => {
      drawn = false;
      render(panelView({ view, chartWidth, now: Date.now(), overdue, send, choose }), app);
      watchChart();
      speak();
    });
  };
  const waitForSnapshot = () => {
    overdue = false;
    const asked = view;
    setTimeout(() => {
      overdue = view.panel === null && asked.panel === null;
      if (overdue) draw();
    }, overdueMs);
  };
  const speak = () => {
    if (speaking) return;
    const text = announcement(view.panel);
    if (text === spoken.textContent) return;
    speaking = true;
    spoken.textContent = text;
    setTimeout(() => {
      speaking = false;
      speak();
    }, speakEveryMs);
  };
  const sizes = new ResizeObserver((entries) => {
    const width = Math.floor(entries.at(-1)?.contentRect.width ?? 0);
    if (width > 0 && width !== chartWidth) {
      chartWidth = width;
      draw();
    }
  });
  let watched: Element | null = null;
  const watchChart = () => {
    const box = app.querySelector('.curve-box');
    if (box === watched) return;
    if (watched !== null) sizes.unobserve(watched);
    if (box !== null) sizes.observe(box);
    watched = box;
  };

  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    const message = readPanelMessage(event.data);
    if (message === null) return;
    const received = receive(view, message);
    view = received.view;
    overdue = false;
    if (received.gap) send({ type: 'ready' });
    draw();
  });
  // The clock of a running run, and nothing else, changes without a message.
  setInterval(() => {
    if (view.panel?.shown?.summary?.status === 'running') draw();
  }, 1_000);
  app.replaceChildren();
  send({ type: 'ready' });
}

const app = document.querySelector<HTMLElement>('#app');
const spoken = document.querySelector<HTMLElement>('#spoken');
if (app !== null && spoken !== null) start(app, spoken);
