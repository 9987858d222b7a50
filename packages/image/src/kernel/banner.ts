const START = Buffer.from('Linux version ');
/** linux_banner is a few hundred bytes; a longer line is not one. */
const LONGEST = 1024;
/** A kernel has the words once or twice. */
const MOST_PLACES = 256;

/** Linux's own statement of what it is. */
export interface Banner {
  /** 'Linux version 6.12.117+… #1 SMP …', without its newline. */
  readonly text: string;
  /** '6.12.117+deb12-cloud-amd64'. */
  readonly release: string;
}

/** Finds linux_banner: 'Linux version ', a release that begins with a digit, a line of printable text. */
export function findBanner(image: Uint8Array): Banner | undefined {
  const buffer = Buffer.from(image.buffer, image.byteOffset, image.length);
  let places = 0;
  for (let at = buffer.indexOf(START); at >= 0 && places < MOST_PLACES; at = buffer.indexOf(START, at + 1)) {
    places++;
    const text = /^[\x20-\x7e]+/.exec(buffer.toString('latin1', at, at + LONGEST))?.[0];
    const release = text === undefined ? undefined : /^Linux version (\d\S*) \S/.exec(text)?.[1];
    if (text !== undefined && release !== undefined) return { text, release };
  }
  return undefined;
}
