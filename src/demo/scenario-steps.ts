/** One message of a conversation that may happen. */
export interface Turn {
  readonly who: 'customer' | 'staff' | 'note';
  readonly text: string;
  /** Working days since the message before: the shortest and the longest. */
  readonly wait: readonly [number, number];
}

/** What a ticket begins after, and how many working days after it. */
export type Start =
  | { readonly after: 'nothing' | 'placing' | 'shipping' }
  | { readonly after: 'delivery' | 'invoice' | 'payment'; readonly days: readonly [number, number] };

/**
 * A conversation as a template. Texts may name {order}, {product}, {quantity}, {invoice}, {amount}, {city},
 * {placed}, {shipped}, {delivered} and {paid}, as far as `start` and `product` make sure that they exist.
 */
export interface Script {
  readonly category: 'question' | 'delivery' | 'billing' | 'returns' | 'fault';
  readonly priorities: readonly ('low' | 'normal' | 'high' | 'urgent')[];
  readonly start: Start;
  /** Must match `category: product` of a line of the order. */
  readonly product?: RegExp;
  readonly regions?: readonly string[];
  /** The invoice is at least this high, and nothing has been paid yet. */
  readonly unpaidMinorMin?: number;
  readonly subject: string;
  /** How the customer may begin. */
  readonly openings: readonly string[];
  readonly turns: readonly Turn[];
}

/** Ends in a refund; its last message says so and may name {refund}, a note {approval}. */
export interface RefundScript extends Script {
  readonly refund: {
    readonly of: 'one' | 'line';
    readonly reason: string;
    /** The goods come back, and the customer pays the postage. */
    readonly returned: boolean;
  };
}

export const customer = (text: string, wait: Turn['wait'] = [0.05, 0.9]): Turn => ({
  who: 'customer',
  text,
  wait,
});
export const staff = (text: string, wait: Turn['wait'] = [0.04, 0.5]): Turn => ({ who: 'staff', text, wait });
export const note = (text: string, wait: Turn['wait'] = [0.03, 0.2]): Turn => ({ who: 'note', text, wait });
