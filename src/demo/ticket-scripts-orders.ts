import { customer, note, staff, type Script } from './ticket-script.js';

export const deliveryScripts: readonly Script[] = [
  {
    category: 'delivery',
    priorities: ['normal', 'normal', 'high'],
    start: { after: 'shipping' },
    product: /Coffee|Tea|Cleaning/,
    subject: 'Where is order {order}?',
    openings: [
      'The tracking of order {order} has not moved for a day. We are nearly out of {product}. When will it arrive?',
      'You wrote that order {order} left on {shipped}. Is there a delivery date for {city}?',
    ],
    turns: [
      staff(
        'Your order left our warehouse in Rotterdam on {shipped} and is on its way to {city}. It is within the usual time for your region. The tracking link is in the shipping email; I have sent it to you again.',
      ),
      customer('Thanks, the link works now. We will wait.'),
      staff('Good. Write to me if it is not there two working days after the date shown.'),
    ],
  },
  {
    category: 'delivery',
    priorities: ['normal'],
    start: { after: 'placing' },
    subject: 'Change of delivery address for {order}',
    openings: [
      'We placed order {order} on {placed} and forgot that our reception has moved to the other entrance. Can you change the address?',
      'Please deliver order {order} to our second office in {city}, floor 3. Is it too late for that?',
    ],
    turns: [
      note('Not shipped yet. Address note added for the shift lead.'),
      staff('You wrote in time: the order has not left yet, and the new address is on the label.'),
      customer('Perfect, that was quick.'),
    ],
  },
  {
    category: 'delivery',
    priorities: ['high', 'normal'],
    start: { after: 'shipping' },
    product: /Espresso machines/,
    subject: 'Delivery slot for the {product}',
    openings: [
      'The {product} of order {order} comes on a pallet. Our goods lift is only free before 10:00. Can the carrier call us one day ahead?',
    ],
    turns: [
      staff(
        'Pallets are always booked: the carrier calls the contact on the order one day ahead. I have added that the lift is free before 10:00.',
      ),
      customer('They called and will come at 8:30. Thank you.', [0.5, 1.5]),
    ],
  },
  {
    category: 'delivery',
    priorities: ['high'],
    start: { after: 'shipping' },
    regions: ['north-america', 'asia-pacific', 'latin-america'],
    subject: 'Customs notice for {order}',
    openings: [
      'We received a notice that duties have to be paid for order {order} before it is released. Is that right?',
    ],
    turns: [
      staff('No, please do not pay: we ship duties paid. Could you send me the notice?'),
      customer('It is attached.'),
      note('Sent to operations: the broker used the wrong terms again.'),
      staff(
        'Our broker has corrected the papers. The parcel continues to {city} today, with nothing to pay.',
      ),
    ],
  },
];

export const billingScripts: readonly Script[] = [
  {
    category: 'billing',
    priorities: ['low', 'normal'],
    start: { after: 'invoice', days: [1, 30] },
    subject: 'Copy of invoice {invoice}',
    openings: [
      'Our accountant cannot find invoice {invoice} for order {order}. Could you send it again as a PDF?',
      'Please send us a copy of invoice {invoice} ({amount}). Our mailbox was full when it came.',
    ],
    turns: [staff('Here it is. The invoice is over {amount}; the due date is at the top right.')],
  },
  {
    category: 'billing',
    priorities: ['normal', 'high'],
    start: { after: 'payment', days: [0.5, 8] },
    subject: 'Is {invoice} settled?',
    openings: [
      'Your shop still shows invoice {invoice} as open, but we paid {amount} on {paid}. Please check.',
      'Did our payment for invoice {invoice} arrive? It left our bank before {paid}, and we would like to order again.',
    ],
    turns: [
      note('Payment booked on {paid}; the shop still showed an older list.'),
      staff(
        'All is well: your payment arrived on {paid}, and invoice {invoice} is settled. The shop shows it from tomorrow on.',
      ),
      customer('Thank you for the quick answer.'),
    ],
  },
  {
    category: 'billing',
    priorities: ['normal'],
    start: { after: 'invoice', days: [2, 15] },
    unpaidMinorMin: 100_001,
    subject: 'Paying {invoice} in instalments',
    openings: [
      'Invoice {invoice} over {amount} falls into a difficult month for us. May we pay it in two parts?',
    ],
    turns: [
      staff(
        'Thank you for asking before the due date. Two or three instalments are possible for invoices above EUR 1,000. I am asking our finance team and will write to you by tomorrow.',
      ),
      note('For the ledger team: customer asks for instalments on {invoice}, {amount}. First request.'),
      customer('Thank you. Half now and half next month would help.'),
      staff(
        'Our finance team is looking at it together with your open invoices and will write to your accountant with the dates.',
      ),
    ],
  },
  {
    category: 'billing',
    priorities: ['low', 'normal'],
    start: { after: 'invoice', days: [0.5, 12] },
    subject: 'Discount on {order}',
    openings: [
      'How is the discount on order {order} worked out? We expected one on the whole order.',
      'We do not understand the discounts on invoice {invoice}. Do they apply to each line or to the total?',
    ],
    turns: [
      staff(
        'Volume discounts apply line by line: 5 % from 12 of the same item and 10 % from 24. A framework agreement gives 15 % on every line instead. I have gone through invoice {invoice}, and each line is right.',
      ),
      customer('Understood. Next time we will order everything at once.'),
      staff('That pays off for coffee above all. Your next order can combine two months.'),
    ],
  },
];

export const returnsScripts: readonly Script[] = [
  {
    category: 'returns',
    priorities: ['low', 'normal'],
    start: { after: 'delivery', days: [24, 50] },
    product: /Coffee|Tea|Cups|Cleaning/,
    subject: 'Can we still return {product}?',
    openings: [
      'We found an unopened package of {product} from order {order}. It came on {delivered}. Can we still return it?',
    ],
    turns: [
      staff(
        'The return window is 30 days from delivery, and yours ended a little while ago, so I cannot take it back. It keeps well if you store it dry and dark.',
      ),
      customer('A pity, but fair enough.'),
    ],
  },
  {
    category: 'returns',
    priorities: ['normal'],
    start: { after: 'delivery', days: [1, 10] },
    product: /Spare parts: (Kestrel|Seal|Milk)/,
    subject: 'Wrong part? {product}',
    openings: [
      'We ordered a {product} with {order} and are not sure that it fits our machine. Before we open it: how do we find out?',
    ],
    turns: [
      staff('Please tell me the serial number on the plate behind the drip tray, and leave the bag closed.'),
      customer('It starts with KD-19.'),
      staff('Then it fits, you can open it. The guide is in the bag; you need no tools.'),
      customer('Fitted and working. Thank you.'),
    ],
  },
];
