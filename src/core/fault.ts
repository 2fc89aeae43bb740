/** A line of a file, or a whole file. */
export interface Place {
  readonly file: string;
  /** From 1. Undefined for the whole file. */
  readonly line?: number | undefined;
}

/** Something wrong at one place. */
export interface Fault {
  readonly place: Place;
  /** In one sentence, with what to do where that is known. */
  readonly message: string;
}

/** `schema/film.graphql:12` */
export const placeText = ({ file, line }: Place): string =>
  line === undefined ? file : `${file}:${String(line)}`;

/** `schema/film.graphql:12: Film.title is defined twice.` */
export const faultText = ({ place, message }: Fault): string => `${placeText(place)}: ${message}`;

export const isSamePlace = (a: Place, b: Place): boolean => a.file === b.file && a.line === b.line;

/** A heading, and below it each fault once. */
export const faultList = (heading: string, faults: readonly Fault[]): string =>
  `${heading}:\n- ${[...new Set(faults.map(faultText))].join('\n- ')}`;
