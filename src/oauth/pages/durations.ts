import { html, type Html } from './html.js';
import { duration } from './in-words.js';

const usual = [900, 3_600, 28_800, 86_400, 604_800, 2_592_000, 7_776_000];

/** The options of a list of durations: the usual ones up to `max`, and `max` itself, in seconds. */
export const durationOptions = (max: number, chosen: number | undefined): readonly Html[] =>
  [...usual.filter((seconds) => seconds < max), max].map(
    (seconds) =>
      html`<option value="${seconds}" ${seconds === chosen ? html`selected` : undefined}>
        ${duration(seconds)}
      </option>`,
  );
