import { customer, note, staff, type Script } from './ticket-script.js';

export const faultScripts: readonly Script[] = [
  {
    category: 'fault',
    priorities: ['high', 'normal', 'urgent'],
    start: { after: 'delivery', days: [45, 260] },
    product: /Kestrel (Solo|Duo|Pro|Mini)/,
    subject: '{product} shows E14',
    openings: [
      'Our {product} (order {order}) stopped with E14 this morning, and nobody here knows what it means. 20 people are waiting for coffee.',
      'E14 on the display of the {product}, and it does not brew any more. What do we have to do?',
    ],
    turns: [
      staff(
        'E14 means that the scale limit is reached. Please descale it with one sachet of Clearwater and 1.5 litres of water: hold the hot-water key for five seconds and choose Descale. It takes 35 minutes, and it must not be switched off in between.',
      ),
      customer('Done. It asked for Rinse twice, and the code is gone.'),
      staff(
        'Very good. With your water, plan a descaling every three months; a filter in the tank makes it easier.',
      ),
    ],
  },
  {
    category: 'fault',
    priorities: ['normal', 'high'],
    start: { after: 'delivery', days: [15, 240] },
    product: /Kestrel (Duo|Pro)|Eagle/,
    subject: 'No milk foam from the {product}',
    openings: [
      'The {product} makes hot milk but hardly any foam. The milk is fresh. We bought it with order {order}.',
      'Since this week our {product} only spits large bubbles. Is that a fault?',
    ],
    turns: [
      staff(
        'Most often it is the air nozzle. Take the milk head off, lay the four pieces in warm water with cleaner for 30 minutes and clear the small hole with the needle. Is the hose cracked anywhere?',
      ),
      customer('The hose was cracked at the end. We cut it off and it works again.'),
      note('Suggested a milk hose set with the next order.'),
      staff('Well found. A milk hose set contains three new ones; the cut hose will hold until then.'),
    ],
  },
  {
    category: 'fault',
    priorities: ['normal', 'high'],
    start: { after: 'delivery', days: [5, 200] },
    product: /Grinders/,
    subject: '{product} hums and does not grind',
    openings: [
      'The {product} from order {order} hums when we press the key, but nothing comes out.',
      'No coffee from the {product} any more. The motor can be heard. Is this covered by the warranty?',
    ],
    turns: [
      staff(
        'Please unplug it, take off the hopper, turn the ring fully open and vacuum the burrs. Often there is a small stone in the beans. If that does not help, it is a warranty case: you have 24 months from {delivered}.',
      ),
      customer('It was a piece of a twig. Running again!'),
    ],
  },
  {
    category: 'fault',
    priorities: ['normal'],
    start: { after: 'delivery', days: [5, 220] },
    product: /Wren (8|15|Thermo|4)/,
    subject: '{product} stops halfway',
    openings: [
      'Our {product} stops after half a jug. It came with order {order}.',
      'The {product} brews for two minutes and then goes cold.',
    ],
    turns: [
      staff('Does the filter overflow, and is the plate or the flask base cold as well?'),
      customer('No overflow, and everything is cold.'),
      note('Thermal fuse. Warranty until 24 months after {delivered}. Swap by post.'),
      staff(
        'Then the thermal fuse has gone, which the warranty covers. A replacement leaves today; please use its box to send the old one back, the label is inside.',
      ),
      customer('It has arrived and works. Thanks.', [3, 8]),
    ],
  },
  {
    category: 'fault',
    priorities: ['urgent', 'high'],
    start: { after: 'delivery', days: [30, 280] },
    product: /Espresso machines: (Kestrel Pro|Eagle)/,
    subject: 'Water under the {product}',
    openings: ['There is water under our {product} (order {order}), about a cup a day. Is it dangerous?'],
    turns: [
      staff(
        'Please switch it off, unplug it and close the water tap. Could you send me the serial number and a photograph of the hose at the back?',
      ),
      customer('Here they are. The tap is closed.'),
      note('Escalation: leak at the inlet valve, warranty. Loan machine asked for.'),
      staff('It is the inlet valve, a warranty repair. A technician comes within three working days.'),
      customer('The technician was here, everything is dry.', [2, 5]),
    ],
  },
];

export const questionScripts: readonly Script[] = [
  {
    category: 'question',
    priorities: ['low', 'normal'],
    start: { after: 'nothing' },
    subject: 'Which water filter do we need?',
    openings: [
      'The test strip shows three red fields. Do we need the filter S or M, and how often do we change it?',
    ],
    turns: [
      staff(
        'Three fields are 14 to 21 °dH, so you need the Clearwater M. Change it every two months or after 50 litres, and set the machine to hardness 3.',
      ),
      customer('Thank you, ordered.'),
    ],
  },
  {
    category: 'question',
    priorities: ['low'],
    start: { after: 'nothing' },
    subject: 'Framework agreement',
    openings: [
      'We now have three offices and order every month. Is there a framework agreement, and what does it bring?',
    ],
    turns: [
      staff(
        'There is: 15 % on every line instead of the volume discounts. Our sales team looks at your orders and writes to you within the week.',
      ),
      note('For sales: asks for a framework agreement, three offices.'),
    ],
  },
  {
    category: 'question',
    priorities: ['low', 'normal'],
    start: { after: 'delivery', days: [2, 60] },
    product: /Grinders/,
    subject: 'Grind setting for the {product}',
    openings: [
      'Which number should we use on the {product} for espresso? Ours runs through in 15 seconds and tastes sour.',
    ],
    turns: [
      staff(
        'Start at 12 and go finer, one number at a time with the motor running, until 18 g give 36 g in 25 to 30 seconds. 15 seconds is far too fast, so expect two or three steps.',
      ),
      customer('At 10 it is perfect. Thank you!'),
    ],
  },
  {
    category: 'question',
    priorities: ['low'],
    start: { after: 'delivery', days: [1, 90] },
    product: /Coffee beans/,
    subject: 'How long does {product} keep?',
    openings: [
      'We have some {product} left before the holidays. How long does it keep, and does the freezer help?',
      'Is the {product} from order {order} still good three months after roasting?',
    ],
    turns: [
      staff(
        'Closed bags are at their best for three months after the roast date and fine for nine. Once open, use them within two weeks. The freezer is good for closed bags only.',
      ),
      customer('That helps, thank you.'),
    ],
  },
  {
    category: 'question',
    priorities: ['normal'],
    start: { after: 'delivery', days: [5, 120] },
    product: /Kestrel Pro|Eagle/,
    subject: 'Status page of the {product}',
    openings: [
      'Our IT would like to read the status of the {product} from the monitoring. Is there an interface, and is anything sent outside?',
    ],
    turns: [
      staff(
        'Yes: turn on Menu, Network, Status page and ask with the six-digit key, at most once a minute. Nothing is sent to us. The guide with an example is on our site.',
      ),
      customer('It works. A 401 was our fault, we had an old key.'),
    ],
  },
];
