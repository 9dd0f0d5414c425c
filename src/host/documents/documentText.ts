/** Owns what text an address has: asks the read models and renders. Deliberately free of the editor's file system. */
import { EngineError } from '../../client/connection.ts';
import type { RunDetail } from '../../core/model/views.ts';
import type { ReadModels } from '../readModels.ts';
import { runNumbers } from '../trees/treeNode.ts';
import type { DocumentAddress } from './addresses.ts';
import { candidateDocument } from './candidateDocument.ts';
import { comparisonDocument } from './comparisonDocument.ts';
import { changedTaskDocument, evaluationDocument } from './evaluationDocument.ts';
import { dataDocument } from './dataDocument.ts';
import { experienceDocument } from './experienceDocument.ts';

export interface DocumentText {
  readonly text: string;
  /** Milliseconds since 1970 of its last change; 0 for what never changes. */
  readonly changedAt: number;
}

function gone(what: string): EngineError {
  return new EngineError('notFound', `${what} is not in this workspace any more.`);
}

/** Rejects with EngineError, 'notFound' when there is nothing at the address. */
export async function documentText(address: DocumentAddress, models: ReadModels): Promise<DocumentText> {
  switch (address.kind) {
    case 'experience': {
      const detail = await models.experience(address.solutionId);
      if (detail === null) throw gone('This experience');
      return { text: experienceDocument(detail), changedAt: detail.annotation?.time ?? 0 };
    }
    case 'evaluation': {
      const detail = await models.evaluation(address.evaluationId);
      if (detail === null) throw gone('This evaluation');
      return { text: evaluationDocument(detail), changedAt: 0 };
    }
    case 'changedTask': {
      const detail = await models.evaluation(address.evaluationId);
      const changed = detail?.changed.find((item) => item.task.id === address.taskId);
      if (changed === undefined) throw gone('This task');
      return { text: changedTaskDocument(changed, address.side), changedAt: 0 };
    }
    case 'data': {
      const { file, options, stamp } = address;
      return { text: dataDocument(await models.inspection(file, options, stamp)), changedAt: stamp };
    }
    case 'comparison': {
      const [one, other] = await Promise.all([models.run(address.one), models.run(address.other)]);
      if (one === null || other === null) throw gone('One of these runs');
      const numbers = runNumbers(await models.runs());
      const nameOf = ({ run }: RunDetail) => `${run.recipeName}, Run ${numbers.get(run.id) ?? 0}`;
      return { text: comparisonDocument(one, other, [nameOf(one), nameOf(other)]), changedAt: 0 };
    }
    case 'candidate': {
      const [candidates, detail] = await Promise.all([
        models.candidates(address.runId),
        models.run(address.runId),
      ]);
      const found = candidates.find(
        (item) => item.at.arm === address.arm && item.version === address.version,
      );
      if (found === undefined || detail === null) throw gone('This candidate');
      return { text: candidateDocument(found, candidates, detail.run), changedAt: 0 };
    }
  }
}
