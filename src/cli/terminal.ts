/**
 * Owns what the command line writes: results to standard output, words to people to standard error, and one progress line
 * that exists only on a terminal and never mixes with either.
 */
export interface Terminal {
  /** A whole line of the result. */
  print(line: string): void;
  /** A whole line beside the result. */
  say(line: string): void;
  /** Replaces the progress line; '' removes it. Without a terminal nothing is written. */
  progress(line: string): void;
}

export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

const eraseLine = '\r\u001b[2K';

export function createTerminal(out: Stream, error: Stream): Terminal {
  let shown = '';
  const clear = () => {
    if (shown !== '') error.write(eraseLine);
  };
  const around = (write: () => void) => {
    clear();
    write();
    if (shown !== '') error.write(shown);
  };
  return {
    print: (line) => around(() => out.write(`${line}\n`)),
    say: (line) => around(() => error.write(`${line}\n`)),
    progress: (line) => {
      if (error.isTTY !== true) return;
      // A terminal that does not know its width says 0.
      const width = error.columns === undefined || error.columns === 0 ? 80 : error.columns;
      const fitted = line.slice(0, width - 1);
      if (fitted === shown) return;
      clear();
      shown = fitted;
      error.write(fitted);
    },
  };
}
