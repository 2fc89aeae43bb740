/** One message of a possible conversation. */
export interface Turn {
  readonly who: 'customer' | 'staff' | 'note';
  readonly text: string;
  /** Working days since the previous message: minimum and maximum. */
  readonly wait: readonly [number, number];
}

/** The event before a ticket begins, and the working days after it. */
export type Start =
  | { readonly after: 'nothing' | 'placing' | 'shipping' }
  | { readonly after: 'delivery' | 'invoice' | 'payment'; readonly days: readonly [number, number] };

/**
 * The template of a conversation. Texts may name {order}, {product}, {quantity}, {invoice}, {amount}, {city},
 * {placed}, {shipped}, {delivered} and {paid}, where `start` and `product` ensure that they exist.
 */
export interface Script {
  readonly category: 'question' | 'delivery' | 'billing' | 'returns' | 'fault';
  readonly priorities: readonly ('low' | 'normal' | 'high' | 'urgent')[];
  readonly start: Start;
  /** Must match `category: product` of an order line. */
  readonly product?: RegExp;
  readonly regions?: readonly string[];
  /** The invoice has at least this amount, and nothing has been paid yet. */
  readonly unpaidMinorMin?: number;
  readonly subject: string;
  /** Alternatives for the customer's first message. */
  readonly openings: readonly string[];
  readonly turns: readonly Turn[];
}

/** A script that ends in a refund. Its last message says so and may name {refund}, a note {approval}. */
export interface RefundScript extends Script {
  readonly refund: {
    readonly of: 'one' | 'line';
    readonly reason: string;
    /** Whether the goods come back. The customer then pays the postage. */
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
