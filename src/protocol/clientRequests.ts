/**
 * Owns what the engine asks a connected window: settings, keys and editor models stay with the window (design: processes).
 * Both ends check what they are given. Deliberately holds no behaviour.
 */
import * as z from 'zod';

export interface ClientRequest<Params, Answer> {
  readonly method: string;
  readonly params: z.ZodType<Params>;
  readonly answer: z.ZodType<Answer>;
}

const clientRequest = <Params, Answer>(
  method: string,
  params: z.ZodType<Params>,
  answer: z.ZodType<Answer>,
): ClientRequest<Params, Answer> => ({ method, params, answer });

const reason = z.string().min(1).max(2000);

/** The user's own value of `ratchet.providers`; never what a workspace says. Null from a window that does not serve runs. */
export const askProviders = clientRequest(
  'ratchet/ask/providers',
  z.object({}).strict(),
  z.object({ providers: z.unknown() }).strict().nullable(),
);

/**
 * The key a person stored for a provider, if it is bound to this origin. The window may ask the person where it is bound
 * to another one. Null: there is none, or it is not for this origin.
 */
export const askKey = clientRequest(
  'ratchet/ask/key',
  z.object({ provider: z.string().min(1).max(100), origin: z.string().min(1).max(2000) }).strict(),
  z.object({ key: z.string().max(10_000).nullable() }).strict(),
);

const message = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }).strict();

/** One answer of an editor model. */
export const askEditorModel = clientRequest(
  'ratchet/ask/editorModel',
  z
    .object({
      /** `vendor/family`, `vendor/id` or an id alone. */
      model: z.string().min(1).max(200),
      messages: z.array(message).min(1).max(10_000),
      temperature: z.number().min(0).max(2),
      maxTokens: z.number().int().min(1),
      seed: z.number().int().min(0),
    })
    .strict(),
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('answer'), text: z.string(), model: z.string() }).strict(),
    /** This call failed; others may not. */
    z.object({ kind: z.literal('item'), reason }).strict(),
    /** No call to this model would fare better until a person does something. */
    z.object({ kind: z.literal('provider'), reason }).strict(),
    /** This window cannot; another one may. */
    z.object({ kind: z.literal('elsewhere'), reason }).strict(),
  ]),
);

export type EditorModelRequest = z.output<typeof askEditorModel.params>;
export type EditorModelAnswer = z.output<typeof askEditorModel.answer>;
