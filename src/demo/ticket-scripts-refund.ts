import { customer, note, staff, type RefundScript } from './ticket-script.js';

export const refundScripts: readonly RefundScript[] = [
  {
    category: 'returns',
    priorities: ['normal', 'normal', 'high'],
    start: { after: 'delivery', days: [0.2, 6] },
    product: /machines|Grinders|Cups|Spare/,
    refund: { of: 'one', reason: 'Damaged in transit', returned: false },
    subject: 'Damaged on arrival: {product}',
    openings: [
      'Our order {order} came on {delivered}, and one {product} is damaged. The carton has a dent on one side. Can we have our money back for it?',
      'We unpacked order {order} today. One {product} is broken, although the box looked fine from the outside. We would prefer a refund to a replacement.',
    ],
    turns: [
      staff(
        'I am sorry, that should not have happened. You are well inside the 14 days for transit damage. Could you send me photographs of the item and of the inner and outer packaging?',
      ),
      customer('Here are four photographs. You can see the dent and the torn foam.'),
      note('Photographs show transit damage. Refund of one {product}, {refund}. {approval}'),
      staff(
        'Thank you, the photographs are clear. We have refunded {refund} to the method you paid with. A card refund can take your bank up to three more working days. You may keep or recycle the damaged item.',
        [0.6, 3],
      ),
    ],
  },
  {
    category: 'returns',
    priorities: ['low', 'normal', 'normal'],
    start: { after: 'delivery', days: [1, 13] },
    product: /Cups|Spare|Cleaning|Tea|Coffee/,
    refund: { of: 'line', reason: 'Returned unopened, less postage', returned: true },
    subject: 'Return of {product}, unopened',
    openings: [
      'We ordered too much. From order {order} we would like to return {quantity} × {product}, all unopened. How does that work?',
      'Our office closes a floor, so we do not need the {quantity} × {product} of order {order}. Nothing has been opened. Can we send it back?',
    ],
    turns: [
      staff(
        'Of course. Your order was delivered on {delivered}, so you are inside the 30 days. I have sent you a return label by email; please hand the parcel over within 10 days. The postage of EUR 9.50 is taken off the refund.',
      ),
      customer('The parcel is on its way, thank you.', [0.5, 3]),
      note('Inspected: grade A, complete, back on the shelf. Refund {refund}. {approval}', [2, 4]),
      staff(
        'Your return has arrived in good order. We have refunded {refund}, which is the price you paid less the postage.',
        [0.3, 2],
      ),
    ],
  },
  {
    category: 'delivery',
    priorities: ['normal', 'high'],
    start: { after: 'delivery', days: [0.1, 5] },
    product: /Coffee|Tea|Cleaning|Cups|Spare/,
    refund: { of: 'one', reason: 'Missing from the delivery', returned: false },
    subject: 'Missing from order {order}: {product}',
    openings: [
      'The delivery of {delivered} was not complete: one {product} is missing, although the packing slip lists it. We bought one locally in the meantime, so please just refund it.',
      'We counted twice. One {product} of order {order} is not in the box. We no longer need it and would like the money back.',
    ],
    turns: [
      note('Weight on the label is below what the order should have. The item was not packed.'),
      staff(
        'You are right, and I am sorry: by the weight of the parcel the item was never packed. I have asked for a refund of {refund}.',
      ),
      note('Refund {refund}. {approval}'),
      staff('The refund of {refund} has been issued. It shows on your account within a few days.', [0.5, 3]),
    ],
  },
  {
    category: 'returns',
    priorities: ['normal'],
    start: { after: 'delivery', days: [0.5, 8] },
    product: /Coffee|Tea/,
    refund: { of: 'one', reason: 'Quality complaint', returned: false },
    subject: 'Quality of {product}',
    openings: [
      'One of the bags of {product} in order {order} tastes stale, and the valve is torn. The others are fine. What can you do?',
      'A package of {product} from order {order} was not sealed properly; everything in it is flat. Could you refund that one?',
    ],
    turns: [
      staff(
        'Thank you for telling us so soon. Quality complaints about coffee and tea are refunded within 14 days of delivery. Could you send me a photograph of the roast or batch date?',
      ),
      customer('Attached. It is the number under the barcode.'),
      note('Batch told to purchasing. Refund of one package, {refund}. {approval}'),
      staff('We have refunded {refund} for it. No need to send anything back.', [0.4, 2.5]),
    ],
  },
  {
    category: 'fault',
    priorities: ['high', 'urgent'],
    start: { after: 'delivery', days: [0.2, 4] },
    product: /Espresso machines|Grinders/,
    refund: { of: 'one', reason: 'Faulty on arrival', returned: false },
    subject: '{product} does not start',
    openings: [
      'Our new {product} (order {order}) has never worked: the display stays dark on two different sockets. We have lost trust in it and would like a refund, not a repair.',
      'The {product} of order {order} trips the fuse as soon as we switch it on. Please take it back.',
    ],
    turns: [
      staff(
        'Please leave it unplugged. A machine that never worked counts as damaged on arrival, so you may choose a refund. Which serial number is on the plate?',
      ),
      customer('The number is on the photograph. When will it be collected?'),
      note('Collection booked, grade D expected. Refund of one {product}, {refund}. {approval}'),
      staff(
        'The carrier collects it tomorrow between 9 and 12, at our cost. The refund of {refund} has been issued today.',
        [0.5, 3],
      ),
    ],
  },
];
