import { controlClient } from '../control-client.ts';
import type { GlobalOptions } from '../program.ts';
import { imageText } from '../render/image.ts';
import { print } from '../render/print.ts';

export async function imageShow(globals: GlobalOptions, name: string): Promise<number> {
  const image = await controlClient(globals).getImage({ params: { name } });
  print(globals.json, image, () => imageText(image, true));
  return 0;
}
