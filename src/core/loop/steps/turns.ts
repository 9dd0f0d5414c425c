/**
 * Owns attempts of several turns: roles that talk with each other (self-play; Ditto, Lu et al. 2024), and a model that uses
 * tools (ReAct, Yao et al. 2022). All attempts take their turns together, each call with a place of its own in the ledger.
 * Deliberately runs no code: the tools are pure functions of text.
 */
import type { Draw } from '../../acquire/solve.ts';
import { readToolCall, toolsHelp, useTool } from '../../acquire/tools.ts';
import { streamSeed } from '../../measure/random.ts';
import type { TokenUsage } from '../../model/task.ts';
import type { Message, ModelAnswer } from '../../ports.ts';
import type { SolveParameters } from '../recipe.ts';
import type { StepContext } from '../stepContext.ts';

interface Talk {
  readonly draw: Draw;
  /** What was said, in turn. */
  readonly said: readonly { readonly by: number; readonly text: string }[];
  readonly usage: TokenUsage;
  /** Set when it is over. */
  readonly end: ModelAnswer | null;
}

/** What a talk came to. */
export interface Said {
  /** With the usage of the whole talk, and its whole text where roles took turns. */
  readonly answer: ModelAnswer;
  /** The last turn where roles took turns; null where the answer is all there is. */
  readonly last: string | null;
}

/** What each of the talks came to, in the order of the draws. */
export async function converse(
  context: StepContext,
  draws: readonly Draw[],
  parameters: SolveParameters,
): Promise<readonly Said[]> {
  let talks = draws.map((draw): Talk => ({ draw, said: [], usage: { input: 0, output: 0 }, end: null }));
  const turns = parameters.roles.length > 0 ? wholeTurns(parameters) : parameters.maxTurns;
  for (let turn = 0; turn < turns; turn++) {
    const open = talks.filter(({ end }) => end === null);
    if (open.length === 0) break;
    const answers = await context.ask(
      context.at.round,
      open.map(({ draw, said }) => ({
        item: `${draw.task.id}/turn ${turn + 1}`,
        sample: draw.sample,
        input: draw.task.input,
        request: {
          ...draw.request,
          seed: streamSeed(draw.request.seed, 'turn', turn),
          messages:
            parameters.roles.length > 0
              ? roleMessages(draw, said, turn, parameters)
              : toolMessages(draw, said, parameters),
        },
      })),
    );
    const next = new Map(
      open.map((talk, index) => [
        talk,
        taken(
          talk,
          answers[index] ?? { ok: false, reason: 'the provider gave no answer' },
          turn,
          turns,
          parameters,
        ),
      ]),
    );
    talks = talks.map((talk) => next.get(talk) ?? talk);
  }
  return talks.map(({ end, said }) => ({
    answer: end ?? { ok: false, reason: 'the talk came to no answer' },
    last: parameters.roles.length > 0 && end?.ok === true ? (said.at(-1)?.text ?? null) : null,
  }));
}

/** Every role has as many turns; the last one answers. */
function wholeTurns({ roles, maxTurns }: SolveParameters): number {
  return Math.max(1, Math.floor(maxTurns / roles.length)) * roles.length;
}

function sum(a: TokenUsage, b: TokenUsage): TokenUsage {
  const add = (x: number | null, y: number | null) => (x === null || y === null ? null : x + y);
  return { input: add(a.input, b.input), output: add(a.output, b.output) };
}

function taken(
  talk: Talk,
  answer: ModelAnswer,
  turn: number,
  turns: number,
  parameters: SolveParameters,
): Talk {
  if (!answer.ok) return { ...talk, end: answer };
  const usage = sum(talk.usage, answer.usage);
  const { roles } = parameters;
  const said = [...talk.said, { by: roles.length > 0 ? turn % roles.length : 0, text: answer.text }];
  const whole = { ...talk, said, usage };
  if (roles.length > 0) {
    const text = said.map(({ by, text: words }) => `${roles[by]?.name ?? ''}: ${words}`).join('\n\n');
    return turn === turns - 1 ? { ...whole, end: { ...answer, text, usage } } : whole;
  }
  const call = readToolCall(answer.text, parameters.tools);
  if (call === null) return { ...whole, end: { ...answer, usage } };
  if (turn === turns - 1) return { ...whole, end: { ok: false, reason: `no answer within ${turns} turns` } };
  return { ...whole, said: [...said, { by: 1, text: useTool(call, talk.draw.task) }] };
}

/** A role sees what the others said as the user's words and its own as the assistant's. */
function roleMessages(
  draw: Draw,
  said: Talk['said'],
  turn: number,
  { roles }: SolveParameters,
): readonly Message[] {
  const own = turn % roles.length;
  const role = roles[own];
  const others = roles.filter((_, index) => index !== own).map(({ name }) => name);
  const before = draw.request.messages;
  const system = [
    ...before.filter(({ role: by }) => by === 'system').map(({ content }) => content),
    `You are ${role?.name ?? ''}, talking with ${others.join(' and ')}. Say your next turn only.`,
    role?.instruction ?? '',
  ].filter((text) => text.trim() !== '');
  const talk = said.map(
    ({ by, text }): Message => ({ role: by === own ? 'assistant' : 'user', content: text }),
  );
  return [
    { role: 'system', content: system.join('\n\n') },
    ...before.filter(({ role: by }) => by !== 'system'),
    ...talk,
  ];
}

function toolMessages(draw: Draw, said: Talk['said'], { tools }: SolveParameters): readonly Message[] {
  const talk = said.map(
    ({ by, text }): Message => ({ role: by === 0 ? 'assistant' : 'user', content: text }),
  );
  const messages = draw.request.messages;
  const final = messages.at(-1);
  if (final === undefined) return talk;
  return [
    ...messages.slice(0, -1),
    { ...final, content: `${final.content}\n\n${toolsHelp(tools)}` },
    ...talk,
  ];
}
