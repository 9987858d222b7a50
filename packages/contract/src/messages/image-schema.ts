import { ImageVerdictDocument } from './image-inspection.ts';

/** The JSON Schema of what `unpin image inspect --format json` prints for one image, as a document of its own. */
export function imageVerdictSchema(): Record<string, unknown> {
  const document = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'image-verdict',
    description: 'What one image can do, with evidence, as `unpin image inspect FILE --format json` prints it.',
    ...ImageVerdictDocument,
  };
  return JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
}
