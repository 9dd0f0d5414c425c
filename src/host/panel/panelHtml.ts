/**
 * Owns the panel's page: its content security policy and what it shows before its script is up. Nothing is fetched from
 * anywhere, nothing inline is run; the one link is a command of ours, offered when the script does not come up.
 */
import type { CommandId } from '../ids.ts';

export interface PageOptions {
  readonly cspSource: string;
  readonly script: string;
  readonly style: string;
  /** Fresh for every page. */
  readonly nonce: string;
}

/** The only command a link in the page may run. */
export const pageCommand: CommandId = 'ratchet.reopenPanel';

export function panelHtml({ cspSource, script, style, nonce }: PageOptions): string {
  const policy = `default-src 'none'; style-src ${cspSource}; script-src 'nonce-${nonce}'`;
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="stylesheet" href="${style}" />
    <title>Loop</title>
  </head>
  <body>
    <div id="app">
      <p class="boot-failure">
        The panel has not come up for five seconds. <a href="command:${pageCommand}">Retry</a>
      </p>
    </div>
    <div id="spoken" class="unseen" role="status" aria-live="polite"></div>
    <script nonce="${nonce}" src="${script}"></script>
  </body>
</html>
`;
}
